#include "sparsam/Structure/Block/Block.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

/// `16x32`: inputs x outputs.
static ParseResult parseBlockShape(AsmParser &parser, int64_t &inputs, int64_t &outputs) {
  SmallVector<int64_t> shape;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseDimensionList(shape, /*allowDynamic=*/false, /*withTrailingX=*/false))
    return failure();
  if (shape.size() != 2)
    return parser.emitError(loc)
           << "expected inputs x outputs of a block, as in 16x16, found " << shape.size()
           << (shape.size() == 1 ? " size" : " sizes");
  inputs = shape[0];
  outputs = shape[1];
  return success();
}

static void printBlockShape(AsmPrinter &printer, int64_t inputs, int64_t outputs) {
  printer << inputs << 'x' << outputs;
}

/// `, density = 0.25, in = [0]`.
static ParseResult parseBlockFields(AsmParser &parser, FailureOr<APFloat> &density,
                                    SmallVector<int64_t> &in,
                                    SmallVector<int64_t> &stack) {
  if (failed(parser.parseOptionalComma()))
    return emitNoDensity(parser);
  return parseDensityFields(parser, density, in, stack);
}

static void printBlockFields(AsmPrinter &printer, const APFloat &density,
                             ArrayRef<int64_t> in, ArrayRef<int64_t> stack) {
  printer << ", ";
  printDensityFields(printer, density, in, stack);
}

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Block/Block.cpp.inc"

void sparsam::registerBlock(DialectRegistry &registry) {
  registerStructures<BlockAttr>(registry);
  registerBlockCpuKernels(registry);
  registerBlockSparseTensor(registry);
}

LogicalResult BlockAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                int64_t blockInputs, int64_t blockOutputs,
                                APFloat density, ArrayRef<int64_t>, ArrayRef<int64_t>) {
  if (blockInputs < 1 || blockOutputs < 1)
    return emitError() << "expected a block of at least 1x1, found " << blockInputs << "x"
                       << blockOutputs;
  return verifyDensity(density, emitError);
}

StructureInterface BlockAttr::withView(ArrayRef<int64_t> in,
                                       ArrayRef<int64_t> stack) const {
  return BlockAttr::get(getContext(), getBlockInputs(), getBlockOutputs(), getDensity(),
                        in, stack);
}

std::pair<int64_t, int64_t> BlockAttr::getUnit() const {
  return {getBlockInputs(), getBlockOutputs()};
}

FailureOr<StructureInterface> BlockAttr::withDensity(double density) const {
  if (!isDensity(density))
    return failure();
  return StructureInterface(BlockAttr::get(getContext(), getBlockInputs(),
                                           getBlockOutputs(), APFloat(density), getIn(),
                                           getStack()));
}

int64_t BlockAttr::getStoredBlocks(int64_t inputs) const {
  return countAtDensity(getDensity(), inputs / getBlockInputs());
}

FailureOr<SmallVector<StorageTensor>>
BlockAttr::getStorage(RankedTensorType matrix,
                      function_ref<InFlightDiagnostic()> emitError) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  int64_t r = getBlockInputs(), c = getBlockOutputs();
  if (inputs % r)
    return emitError() << *this << " needs inputs that are a multiple of " << r
                       << ", found " << inputs << " (remainder " << inputs % r << ")";
  if (outputs % c)
    return emitError() << *this << " needs outputs that are a multiple of " << c
                       << ", found " << outputs << " (remainder " << outputs % c << ")";
  int64_t stored = getStoredBlocks(inputs);
  Type index = IntegerType::get(getContext(), inputs / r > 65536 ? 32 : 16);
  return SmallVector<StorageTensor>{
      {"values",
       RankedTensorType::get({outputs / c, stored, r, c}, matrix.getElementType()),
       StorageRole::Trainable},
      {"indices", RankedTensorType::get({outputs / c, stored}, index),
       StorageRole::Index}};
}

FailureOr<StructureCost> BlockAttr::getCost(RankedTensorType matrix) const {
  int64_t inputs = matrix.getDimSize(0);
  int64_t blocks = matrix.getDimSize(1) / getBlockOutputs() * getStoredBlocks(inputs);
  int64_t entries = blocks * getBlockInputs() * getBlockOutputs();
  int64_t indexBytes = inputs / getBlockInputs() > 65536 ? 4 : 2;
  return StructureCost{
      entries, entries * matrix.getElementTypeBitWidth() / 8 + blocks * indexBytes,
      2 * entries};
}

SmallVector<IndexRule> BlockAttr::getIndexRules(RankedTensorType matrix) const {
  IndexRule rule;
  rule.place = "indices[{}, {}]";
  rule.what = "a block of inputs";
  rule.columns = rule.run = getStoredBlocks(matrix.getDimSize(0));
  rule.range = matrix.getDimSize(0) / getBlockInputs();
  return {rule};
}
