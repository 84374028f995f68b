#include "mlir/IR/MLIRContext.h"
#include "sparsam/IR/SparsamDialect.h"
#include "sparsam/InitAll.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "DiagonalBand.h.inc"
#define GET_ATTRDEF_CLASSES
#include "DiagonalBand.cpp.inc"

LogicalResult DiagonalBandAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                       int64_t width) {
  if (width < 0)
    return emitError() << "expected a width of at least 0, found " << width;
  return success();
}

LogicalResult
DiagonalBandAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                 function_ref<InFlightDiagnostic()> emitError) const {
  return verifyStructure(*this, shape, elementType, emitError);
}

StructureKind DiagonalBandAttr::getKind() const { return StructureKind::Pattern; }
ArrayRef<int64_t> DiagonalBandAttr::getIn() const { return {}; }
StructureInterface DiagonalBandAttr::withView(ArrayRef<int64_t>,
                                              ArrayRef<int64_t>) const {
  return *this;
}

FailureOr<SmallVector<StorageTensor>>
DiagonalBandAttr::getStorage(RankedTensorType matrix,
                             function_ref<InFlightDiagnostic()> emitError) const {
  if (matrix.getDimSize(0) != matrix.getDimSize(1))
    return emitError() << *this << " needs a square matrix, found " << matrix;
  return SmallVector<StorageTensor>{
      {"bands",
       RankedTensorType::get({matrix.getDimSize(0), 2 * getWidth() + 1},
                             matrix.getElementType()),
       StorageRole::Trainable}};
}

int main(int argc, char **argv) {
  DialectRegistry registry;
  registerAll(registry);
  registerStructures<DiagonalBandAttr>(registry);
  MLIRContext context(registry);
  Location loc = UnknownLoc::get(&context);
  FailureOr<StructureInterface> structure = parseStructure(argv[1], loc);
  if (failed(structure))
    return 1;
  auto type = RankedTensorType::get({8, 8}, Float32Type::get(&context));
  auto storage = getParameterStorage(*structure, type, [&] { return emitError(loc); });
  if (failed(storage))
    return 1;
  llvm::outs() << *structure << " of " << type << ":";
  for (const StorageTensor &tensor : *storage)
    llvm::outs() << " " << tensor.name << " " << tensor.type;
  llvm::outs() << "\n";
}
