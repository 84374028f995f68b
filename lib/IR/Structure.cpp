#include "sparsam/IR/Structure.h"
#include "mlir/AsmParser/AsmParser.h"
#include "sparsam/IR/SparsamDialect.h"

using namespace mlir;
using namespace mlir::sparsam;

#include "sparsam/IR/StructureInterface.cpp.inc"

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

void sparsam::printView(AsmPrinter &printer, ArrayRef<int64_t> in) {
  printer << '[';
  llvm::interleaveComma(in, printer);
  printer << ']';
}

bool MatrixView::isReshape() const {
  SmallVector<int64_t> order(in);
  llvm::append_range(order, out);
  return llvm::is_sorted(order);
}

FailureOr<MatrixView>
sparsam::getMatrixView(StructureInterface structure, RankedTensorType type,
                       function_ref<InFlightDiagnostic()> emitError) {
  MatrixView view;
  llvm::append_range(view.in, structure.getIn());
  if (view.in.empty())
    view.in.push_back(0);
  if (!type.hasStaticShape())
    return emitError() << structure << " needs a static shape, found " << type;
  for (auto [position, dim] : llvm::enumerate(view.in)) {
    if (dim < 0 || dim >= type.getRank())
      return emitError() << structure << " has input dimension " << dim
                         << ", expected one of a tensor of rank " << type.getRank();
    if (llvm::is_contained(ArrayRef(view.in).take_front(position), dim))
      return emitError() << structure << " has input dimension " << dim << " twice";
  }
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (!llvm::is_contained(view.in, dim))
      view.out.push_back(dim);
  if (view.out.empty())
    return emitError() << structure << " needs at least one output dimension, found rank "
                       << type.getRank() << " with all of it inputs";
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
  return structure.getStorage(view->matrix, emitError);
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
  llvm::erase_if(*storage, [](const StorageTensor &tensor) { return tensor.trainable; });
  if (storage->size() != pattern.size())
    return emitError() << structure << " has " << storage->size()
                       << " index tensors, found " << pattern.size();
  for (auto [tensor, indices] : llvm::zip_equal(*storage, pattern))
    if (tensor.type.getNumElements() != static_cast<int64_t>(indices.size()))
      return emitError() << tensor.name << " of " << structure << " must have "
                         << tensor.type.getNumElements() << " elements, found "
                         << indices.size();
  return structure.verifyPattern(view->matrix, pattern, emitError);
}

LogicalResult sparsam::verifyStructure(StructureInterface structure,
                                       ArrayRef<int64_t> shape, Type elementType,
                                       function_ref<InFlightDiagnostic()> emitError) {
  if (!isa<Float32Type, Float64Type>(elementType))
    return emitError() << structure << " needs elements of f32 or f64, found "
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

FailureOr<StructureInterface> sparsam::parseStructure(StringRef text, Location loc) {
  MLIRContext *context = loc.getContext();
  context->getOrLoadDialect<SparsamDialect>();
  std::string reason;
  Attribute attr;
  {
    // The parser would name a location inside a buffer that the user never saw.
    ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
      if (reason.empty())
        reason = diagnostic.str();
      return success();
    });
    attr = parseAttribute(("#sparsam." + text.trim()).str(), context);
  }
  if (!attr)
    return emitError(loc) << "structure `" << text.trim()
                          << "` does not parse: " << reason;
  auto structure = dyn_cast<StructureInterface>(attr);
  if (!structure)
    return emitError(loc) << "`" << text.trim() << "` is not a structure";
  return structure;
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
