#include "sparsam/Structure/NM/NM.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

/// `, transposable, vector = 4, in = [0], stack = [1]`, any of them, once each.
static ParseResult parseNMOptions(AsmParser &parser, bool &transposable, int64_t &vector,
                                  SmallVector<int64_t> &in, SmallVector<int64_t> &stack) {
  transposable = false;
  vector = 1;
  llvm::StringSet<> seen;
  while (succeeded(parser.parseOptionalComma())) {
    StringRef option;
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseKeyword(&option))
      return failure();
    if (!llvm::is_contained({"transposable", "vector", "in", "stack"}, option))
      return parser.emitError(loc) << "expected one of transposable, vector, in, stack, "
                                      "found `"
                                   << option << "`";
    if (!seen.insert(option).second)
      return parser.emitError(loc) << "`" << option << "` is given twice";
    if (option == "transposable") {
      transposable = true;
      continue;
    }
    if (parser.parseEqual())
      return failure();
    if (option == "vector") {
      if (parser.parseInteger(vector))
        return failure();
      continue;
    }
    FailureOr<SmallVector<int64_t>> dims = parseView(parser);
    if (failed(dims))
      return failure();
    (option == "in" ? in : stack) = *dims;
  }
  return success();
}

static void printNMOptions(AsmPrinter &printer, bool transposable, int64_t vector,
                           ArrayRef<int64_t> in, ArrayRef<int64_t> stack) {
  if (transposable)
    printer << ", transposable";
  if (vector != 1)
    printer << ", vector = " << vector;
  for (auto [name, dims] : {std::pair("in", in), std::pair("stack", stack)})
    if (!dims.empty()) {
      printer << ", " << name << " = ";
      printView(printer, dims);
    }
}

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/NM/NM.cpp.inc"

void sparsam::registerNM(DialectRegistry &registry) {
  registerStructures<NMAttr>(registry);
  registerNMCpuKernels(registry);
  registerNMSparseTensor(registry);
}

LogicalResult NMAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t n,
                             int64_t m, bool transposable, int64_t vector,
                             ArrayRef<int64_t>, ArrayRef<int64_t>) {
  if (n < 1 || n > m)
    return emitError() << "expected 1 <= N <= M, found " << n << ":" << m;
  if (vector < 1)
    return emitError() << "expected a vector of at least 1, found " << vector;
  if (transposable && vector != 1)
    return emitError() << "expected a vector of 1 in a transposable pattern, found "
                       << vector;
  return success();
}

std::pair<int64_t, int64_t> NMAttr::getUnit() const { return {1, getVector()}; }

StructureInterface NMAttr::withView(ArrayRef<int64_t> in, ArrayRef<int64_t> stack) const {
  return NMAttr::get(getContext(), getN(), getM(), getTransposable(), getVector(), in,
                     stack);
}

FailureOr<SmallVector<StorageTensor>>
NMAttr::getStorage(RankedTensorType matrix,
                   function_ref<InFlightDiagnostic()> emitError) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  if (inputs % getM())
    return emitError() << *this << " needs inputs that are a multiple of M = " << getM()
                       << ", found " << inputs << " (remainder " << inputs % getM()
                       << ")";
  if (outputs % getVector())
    return emitError() << *this
                       << " needs outputs that are a multiple of vector = " << getVector()
                       << ", found " << outputs << " (remainder " << outputs % getVector()
                       << ")";
  if (getTransposable() && outputs % getM())
    return emitError() << *this << " needs outputs that are a multiple of M = " << getM()
                       << ", found " << outputs << " (remainder " << outputs % getM()
                       << ")";
  int64_t blocks = outputs / getVector(), kept = inputs / getM() * getN();
  Type index = IntegerType::get(getContext(), inputs > 65536 ? 32 : 16);
  return SmallVector<StorageTensor>{
      {"values",
       RankedTensorType::get({blocks, kept, getVector()}, matrix.getElementType()),
       StorageRole::Trainable},
      {"indices", RankedTensorType::get({blocks, kept}, index), StorageRole::Index}};
}

FailureOr<StructureCost> NMAttr::getCost(RankedTensorType matrix) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  int64_t kept = inputs / getM() * getN();
  int64_t entries = kept * outputs;
  int64_t indexBytes = inputs > 65536 ? 4 : 2;
  return StructureCost{entries,
                       entries * matrix.getElementTypeBitWidth() / 8 +
                           outputs / getVector() * kept * indexBytes,
                       2 * entries};
}

SmallVector<IndexRule> NMAttr::getIndexRules(RankedTensorType matrix) const {
  IndexRule rule;
  rule.place = "indices[{}, {}]";
  rule.what = "an input";
  rule.columns = matrix.getDimSize(0) / getM() * getN();
  rule.run = getN();
  rule.period = matrix.getDimSize(0) / getM();
  rule.step = rule.range = getM();
  if (getTransposable()) {
    rule.square = getM();
    rule.times = getN();
  }
  return {rule};
}
