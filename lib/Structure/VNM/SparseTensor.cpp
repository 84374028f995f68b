#include "sparsam/Conversion/ToSparseTensor/SparseForm.h"
#include "sparsam/Structure/VNM/VNM.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

struct VNMSparseTensor : SparseTensorInterface::ExternalModel<VNMSparseTensor, VNMAttr> {
  FailureOr<SparseForm> getSparseForm(Attribute attr, RankedTensorType,
                                      function_ref<InFlightDiagnostic()> refuse) const {
    return refuse() << "an N:M level of sparse_tensor is the last one and counts "
                       "consecutive inputs; "
                    << attr << " counts the columns that outputs share";
  }

  SmallVector<Value> buildLevels(Attribute, OpBuilder &, Location, RankedTensorType,
                                 ValueRange) const {
    return {};
  }
};

} // namespace

void sparsam::registerVNMSparseTensor(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparsamDialect *) {
    VNMAttr::attachInterface<VNMSparseTensor>(*context);
  });
}
