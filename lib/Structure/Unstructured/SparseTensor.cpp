#include "sparsam/Conversion/ToSparseTensor/SparseForm.h"
#include "sparsam/Structure/Unstructured/Unstructured.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// CSR by output, as it is stored.
struct UnstructuredSparseTensor
    : SparseTensorInterface::ExternalModel<UnstructuredSparseTensor, UnstructuredAttr> {
  FailureOr<SparseForm> getSparseForm(Attribute attr, RankedTensorType matrix,
                                      function_ref<InFlightDiagnostic()> refuse) const {
    auto storage = cast<UnstructuredAttr>(attr).getStorage(matrix, refuse);
    if (failed(storage))
      return failure();
    return getRows(matrix, (*storage)[1].type.getElementTypeBitWidth(),
                   (*storage)[2].type.getElementTypeBitWidth());
  }

  SmallVector<Value> buildLevels(Attribute, OpBuilder &, Location, RankedTensorType,
                                 ValueRange pattern) const {
    return SmallVector<Value>(pattern);
  }
};

} // namespace

void sparsam::registerUnstructuredSparseTensor(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparsamDialect *) {
    UnstructuredAttr::attachInterface<UnstructuredSparseTensor>(*context);
  });
}
