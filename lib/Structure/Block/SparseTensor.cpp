#include "sparsam/Conversion/ToSparseTensor/SparseForm.h"
#include "sparsam/Structure/Block/Block.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// BSR of the transpose; what it stores in each block row is one number.
struct BlockSparseTensor
    : SparseTensorInterface::ExternalModel<BlockSparseTensor, BlockAttr> {
  FailureOr<SparseForm> getSparseForm(Attribute attr, RankedTensorType matrix,
                                      function_ref<InFlightDiagnostic()> refuse) const {
    auto structure = cast<BlockAttr>(attr);
    auto storage = structure.getStorage(matrix, refuse);
    if (failed(storage))
      return failure();
    return getEqualBlocks(matrix, structure.getBlockInputs(), structure.getBlockOutputs(),
                          (*storage)[1].type);
  }

  SmallVector<Value> buildLevels(Attribute attr, OpBuilder &builder, Location loc,
                                 RankedTensorType matrix, ValueRange pattern) const {
    return buildEqualBlocks(builder, loc, matrix, cast<BlockAttr>(attr).getBlockInputs(),
                            pattern[0]);
  }
};

} // namespace

void sparsam::registerBlockSparseTensor(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparsamDialect *) {
    BlockAttr::attachInterface<BlockSparseTensor>(*context);
  });
}
