#include "sparsam/IR/Structure.h"
#include "sparsam/IR/SparsamDialect.h"
#include "llvm/ADT/SmallBitVector.h"

#include <cmath>

using namespace mlir;
using namespace mlir::sparsam;

#include "sparsam/IR/StructureInterface.cpp.inc"

FailureOr<std::optional<APFloat>> sparsam::parseNumber(AsmParser &parser) {
  bool isNegative = succeeded(parser.parseOptionalMinus());
  SMLoc loc = parser.getCurrentLocation();
  StringRef word;
  std::string text;
  if (succeeded(parser.parseOptionalKeyword(&word)))
    return parser.emitError(loc) << "expected a number, found `" << word << "`";
  if (succeeded(parser.parseOptionalString(&text)))
    return parser.emitError(loc) << "expected a number, found \"" << text << "\"";
  int64_t integer;
  OptionalParseResult whole = parser.parseOptionalInteger(integer);
  double number;
  if (whole.has_value()) {
    if (failed(*whole))
      return failure();
    number = static_cast<double>(integer);
  } else if (parser.parseFloat(number)) {
    return failure();
  }
  return std::optional(APFloat(isNegative ? -number : number));
}

void sparsam::printNumber(AsmPrinter &printer, const APFloat &number) {
  double value = number.convertToDouble();
  if (value == std::trunc(value) && std::abs(value) < 0x1p53)
    printer << static_cast<int64_t>(value);
  else
    printer.printFloat(number);
}

FailureOr<SmallVector<int64_t>> sparsam::parseView(AsmParser &parser) {
  SmallVector<int64_t> in;
  auto parseDimension = [&] { return parser.parseInteger(in.emplace_back()); };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseDimension))
    return failure();
  if (in.empty()) {
    parser.emitError(parser.getCurrentLocation(),
                     "expected at least one input dimension");
    return failure();
  }
  return in;
}

void sparsam::printView(AsmPrinter &printer, ArrayRef<int64_t> dims) {
  printer << '[';
  llvm::interleaveComma(dims, printer);
  printer << ']';
}

SmallVector<int64_t> MatrixView::getOrder() const {
  SmallVector<int64_t> order(stack);
  llvm::append_range(order, in);
  llvm::append_range(order, out);
  return order;
}

SmallVector<int64_t> sparsam::getDefaultInputs(ArrayRef<int64_t> stack, int64_t rank) {
  if (rank - static_cast<int64_t>(stack.size()) < 2)
    return {};
  int64_t dim = 0;
  while (llvm::is_contained(stack, dim))
    ++dim;
  return {dim};
}

FailureOr<MatrixView>
sparsam::getMatrixView(StructureInterface structure, RankedTensorType type,
                       function_ref<InFlightDiagnostic()> emitError) {
  MatrixView view;
  llvm::append_range(view.in, structure.getIn());
  llvm::append_range(view.stack, structure.getStack());
  if (!type.hasStaticShape())
    return emitError() << structure << " needs a static shape, found " << type;
  if (view.in.empty())
    view.in = getDefaultInputs(view.stack, type.getRank());
  llvm::SmallBitVector named(type.getRank());
  auto name = [&](ArrayRef<int64_t> dims, StringRef what) -> LogicalResult {
    for (int64_t dim : dims) {
      if (dim < 0 || dim >= type.getRank())
        return emitError() << structure << " has " << what << " dimension " << dim
                           << ", expected one of a tensor of rank " << type.getRank();
      if (named.test(dim))
        return emitError() << structure << " has " << what << " dimension " << dim
                           << " twice";
      named.set(dim);
    }
    return success();
  };
  if (failed(name(view.stack, "stacked")) || failed(name(view.in, "input")))
    return failure();
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (!named.test(dim))
      view.out.push_back(dim);
  if (view.out.empty())
    return emitError() << structure << " needs at least one output dimension, found rank "
                       << type.getRank() << " with all of it "
                       << (view.stack.empty() ? "inputs" : "inputs or stacked");
  auto count = [&](ArrayRef<int64_t> dims) {
    int64_t size = 1;
    for (int64_t dim : dims)
      size *= type.getDimSize(dim);
    return size;
  };
  view.matrix =
      RankedTensorType::get({count(view.in), count(view.out)}, type.getElementType());
  return view;
}

FailureOr<SmallVector<StorageTensor>>
sparsam::getParameterStorage(StructureInterface structure, RankedTensorType type,
                             function_ref<InFlightDiagnostic()> emitError) {
  FailureOr<MatrixView> view = getMatrixView(structure, type, emitError);
  if (failed(view))
    return failure();
  auto storage = structure.getStorage(view->matrix, emitError);
  if (failed(storage))
    return failure();
  for (StorageTensor &tensor : *storage) {
    SmallVector<int64_t> shape;
    for (int64_t dim : view->stack)
      shape.push_back(type.getDimSize(dim));
    llvm::append_range(shape, tensor.type.getShape());
    tensor.type = tensor.type.clone(shape);
  }
  return storage;
}

FailureOr<StructureCost>
sparsam::getParameterCost(StructureInterface structure, RankedTensorType type,
                          function_ref<InFlightDiagnostic()> emitError) {
  auto view = getMatrixView(structure, type, emitError);
  if (failed(view) || failed(getParameterStorage(structure, type, emitError)))
    return failure();
  FailureOr<StructureCost> cost = structure.getCost(view->matrix);
  if (failed(cost))
    return emitError() << "the cost of " << structure << " is not known";
  for (int64_t dim : view->stack) {
    cost->entries *= type.getDimSize(dim);
    cost->bytes *= type.getDimSize(dim);
  }
  return cost;
}

FailureOr<StructureCost> sparsam::getCostOfTerms(ArrayRef<FactorTerm> terms,
                                                 std::optional<int64_t> flops) {
  StructureCost cost{0, 0, 0};
  for (const FactorTerm &term : terms)
    for (const Factor &factor : term.factors) {
      int64_t entries = factor.type.getNumElements();
      int64_t bytes = entries * factor.type.getElementTypeBitWidth() / 8;
      if (factor.pattern) {
        auto stored = factor.getPattern().getCost(factor.type);
        if (failed(stored))
          return failure();
        entries = stored->entries;
        bytes = stored->bytes;
      }
      cost.entries += factor.isFrozen ? 0 : entries;
      cost.bytes += bytes;
    }
  cost.flopsPerRow = cost.gradientFlopsPerRow = flops.value_or(2 * cost.entries);
  return cost;
}

StructureInterface Factor::getPattern() const {
  return cast_if_present<StructureInterface>(pattern);
}

StructureInterface CoupledParameter::getStructure() const {
  return cast_if_present<StructureInterface>(structure);
}

FailureOr<SmallVector<StorageTensor>>
sparsam::getFactorStorage(const Factor &factor,
                          function_ref<InFlightDiagnostic()> emitError) {
  auto role = factor.isFrozen ? StorageRole::Frozen : StorageRole::Trainable;
  if (!factor.pattern)
    return SmallVector<StorageTensor>{{factor.name, factor.type, role}};
  auto storage = factor.getPattern().getStorage(factor.type, emitError);
  if (failed(storage))
    return failure();
  for (StorageTensor &tensor : *storage) {
    if (!factor.name.empty())
      tensor.name = factor.name + "." + tensor.name;
    if (tensor.isTrainable())
      tensor.role = role;
  }
  return storage;
}

FailureOr<SmallVector<StorageTensor>>
sparsam::getStorageOfTerms(StructureInterface structure, RankedTensorType matrix,
                           function_ref<InFlightDiagnostic()> emitError) {
  auto terms = structure.getTerms(matrix, emitError);
  if (failed(terms))
    return failure();
  SmallVector<StorageTensor> storage;
  for (const FactorTerm &term : *terms)
    for (const Factor &factor : term.factors) {
      auto tensors = getFactorStorage(factor, emitError);
      if (failed(tensors))
        return failure();
      llvm::append_range(storage, *tensors);
    }
  return storage;
}

/// The indices of one matrix: those of the patterned factors come one after the other.
static LogicalResult verifyLayer(StructureInterface structure, RankedTensorType matrix,
                                 ArrayRef<ArrayRef<int64_t>> pattern,
                                 function_ref<InFlightDiagnostic()> emitError) {
  if (structure.getKind() == StructureKind::Pattern)
    return structure.verifyPattern(matrix, pattern, emitError);
  auto terms = structure.getTerms(matrix, emitError);
  if (failed(terms))
    return failure();
  for (const FactorTerm &term : *terms)
    for (const Factor &factor : term.factors) {
      if (!factor.pattern)
        continue;
      auto storage = factor.getPattern().getStorage(factor.type, emitError);
      if (failed(storage))
        return failure();
      size_t count = llvm::count_if(
          *storage, [](const StorageTensor &tensor) { return tensor.isIndex(); });
      auto error = [&] {
        InFlightDiagnostic diagnostic = emitError();
        if (!factor.name.empty())
          diagnostic << factor.name << ": ";
        return diagnostic;
      };
      if (failed(factor.getPattern().verifyPattern(factor.type, pattern.take_front(count),
                                                   error)))
        return failure();
      pattern = pattern.drop_front(count);
    }
  return success();
}

LogicalResult sparsam::verifyPattern(StructureInterface structure, RankedTensorType type,
                                     ArrayRef<ArrayRef<int64_t>> pattern,
                                     function_ref<InFlightDiagnostic()> emitError) {
  FailureOr<MatrixView> view = getMatrixView(structure, type, emitError);
  if (failed(view))
    return failure();
  auto storage = structure.getStorage(view->matrix, emitError);
  if (failed(storage))
    return failure();
  llvm::erase_if(*storage, [](const StorageTensor &tensor) { return !tensor.isIndex(); });
  int64_t layers = 1;
  for (int64_t dim : view->stack)
    layers *= type.getDimSize(dim);
  if (storage->size() != pattern.size())
    return emitError() << structure << " has " << storage->size()
                       << " index tensors, found " << pattern.size();
  for (auto [tensor, indices] : llvm::zip_equal(*storage, pattern))
    if (layers * tensor.type.getNumElements() != static_cast<int64_t>(indices.size()))
      return emitError() << tensor.name << " of " << structure << " must have "
                         << layers * tensor.type.getNumElements() << " elements, found "
                         << indices.size();
  for (int64_t layer = 0; layer < layers; ++layer) {
    SmallVector<ArrayRef<int64_t>> own;
    for (auto [tensor, indices] : llvm::zip_equal(*storage, pattern))
      own.push_back(indices.slice(layer * tensor.type.getNumElements(),
                                  tensor.type.getNumElements()));
    auto error = [&] {
      InFlightDiagnostic diagnostic = emitError();
      if (layers > 1)
        diagnostic << "layer " << layer << ": ";
      return diagnostic;
    };
    if (failed(verifyLayer(structure, view->matrix, own, error)))
      return failure();
  }
  return success();
}

LogicalResult sparsam::verifyByRules(Attribute structure, ArrayRef<IndexRule> rules,
                                     ArrayRef<ArrayRef<int64_t>> pattern,
                                     function_ref<InFlightDiagnostic()> emitError) {
  if (rules.size() != pattern.size())
    return emitError() << "a pattern of " << structure
                       << " that was made elsewhere cannot be checked";
  IndexEntries before{nullptr, 0};
  for (auto [rule, indices] : llvm::zip_equal(rules, pattern)) {
    IndexEntries entries{indices.data(), static_cast<int64_t>(indices.size())};
    if (auto error = checkIndices(rule, entries, before))
      return emitError() << *error;
    before = entries;
  }
  return success();
}

/// Those of one matrix: of a pattern, or of the patterns that factors are stored in.
static FailureOr<SmallVector<IndexRule>>
getMatrixRules(StructureInterface structure, RankedTensorType matrix,
               function_ref<InFlightDiagnostic()> emitError) {
  if (structure.getKind() == StructureKind::Pattern)
    return structure.getIndexRules(matrix);
  auto terms = structure.getTerms(matrix, emitError);
  if (failed(terms))
    return failure();
  SmallVector<IndexRule> rules;
  for (const FactorTerm &term : *terms)
    for (const Factor &factor : term.factors) {
      if (!factor.pattern)
        continue;
      for (IndexRule &rule : factor.getPattern().getIndexRules(factor.type)) {
        if (!factor.name.empty())
          rule.place = factor.name + ": " + rule.place;
        rules.push_back(rule);
      }
    }
  return rules;
}

FailureOr<SmallVector<IndexRule>>
sparsam::getIndexRules(StructureInterface structure, RankedTensorType type,
                       function_ref<InFlightDiagnostic()> emitError) {
  FailureOr<MatrixView> view = getMatrixView(structure, type, emitError);
  if (failed(view))
    return failure();
  auto storage = structure.getStorage(view->matrix, emitError);
  auto rules = getMatrixRules(structure, view->matrix, emitError);
  if (failed(storage) || failed(rules))
    return failure();
  llvm::erase_if(*storage, [](const StorageTensor &tensor) { return !tensor.isIndex(); });
  if (storage->size() != rules->size())
    return SmallVector<IndexRule>();
  for (auto [tensor, rule] : llvm::zip_equal(*storage, *rules))
    rule.entries = tensor.type.getNumElements();
  return rules;
}

bool sparsam::isStructuredElement(Type type) {
  return isa<BFloat16Type, Float16Type, Float32Type, Float64Type>(type);
}

LogicalResult sparsam::verifyStructure(StructureInterface structure,
                                       ArrayRef<int64_t> shape, Type elementType,
                                       function_ref<InFlightDiagnostic()> emitError) {
  if (!isStructuredElement(elementType))
    return emitError() << structure << " needs elements of bf16, f16, f32 or f64, found "
                       << elementType;
  return getParameterStorage(structure, RankedTensorType::get(shape, elementType),
                             emitError);
}

StructureInterface sparsam::getStructure(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? dyn_cast_or_null<StructureInterface>(tensor.getEncoding())
                : StructureInterface();
}

RankedTensorType sparsam::getPlainType(RankedTensorType type) {
  return RankedTensorType::get(type.getShape(), type.getElementType());
}

LogicalResult sparsam::verifyInnerPattern(StructureInterface structure, StringRef name,
                                          function_ref<InFlightDiagnostic()> emitError) {
  if (structure.getKind() != StructureKind::Pattern)
    return emitError() << name << " must be a pattern structure, found " << structure;
  if (!structure.getIn().empty() || !structure.getStack().empty())
    return emitError() << name << " must be in the default view, found " << structure;
  if (!structure.getSlicedAxes().empty())
    return emitError() << name << " must be a pattern of one parameter, found "
                       << structure << ", which is one choice for several";
  return success();
}

FailureOr<StructureInterface> sparsam::parseInnerStructure(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef mnemonic;
  Attribute attr;
  if (succeeded(parser.parseOptionalKeyword(&mnemonic))) {
    auto *dialect = parser.getContext()->getOrLoadDialect<SparsamDialect>();
    attr = dialect->parseStructure(parser, mnemonic, loc);
    if (!attr)
      return failure();
  } else if (parser.parseAttribute(attr)) {
    return failure();
  }
  if (auto structure = dyn_cast<StructureInterface>(attr))
    return structure;
  parser.emitError(loc) << "expected a structure, found " << attr;
  return failure();
}

LogicalResult sparsam::verifyPattern(StringRef structure, ArrayRef<int64_t> shape,
                                     ArrayRef<ArrayRef<int64_t>> pattern, Location loc) {
  auto parsed = parseStructure(structure, loc);
  if (failed(parsed))
    return failure();
  // The element type says nothing about a pattern.
  auto type = RankedTensorType::get(shape, Float32Type::get(loc.getContext()));
  return verifyPattern(*parsed, type, pattern, [&] { return emitError(loc); });
}
