#include "sparsam/Conversion/ToSparseTensor/SparseForm.h"
#include "sparsam/Structure/NM/NM.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// An N:M level is the last one, so it holds the inputs of one output. Outputs that share
/// their inputs store blocks of one input and V outputs.
struct NMSparseTensor : SparseTensorInterface::ExternalModel<NMSparseTensor, NMAttr> {
  static bool hasLevel(NMAttr structure, RankedTensorType matrix) {
    return structure.getVector() == 1 && isStructured(matrix, structure.getM());
  }

  FailureOr<SparseForm> getSparseForm(Attribute attr, RankedTensorType matrix,
                                      function_ref<InFlightDiagnostic()> refuse) const {
    auto structure = cast<NMAttr>(attr);
    auto storage = structure.getStorage(matrix, refuse);
    if (failed(storage))
      return failure();
    RankedTensorType indices = (*storage)[1].type;
    if (hasLevel(structure, matrix))
      return getStructuredRows(matrix, structure.getN(), structure.getM(),
                               indices.getElementTypeBitWidth());
    return getEqualBlocks(matrix, /*inputs=*/1, structure.getVector(), indices);
  }

  SmallVector<Value> buildLevels(Attribute attr, OpBuilder &builder, Location loc,
                                 RankedTensorType matrix, ValueRange pattern) const {
    auto structure = cast<NMAttr>(attr);
    if (!hasLevel(structure, matrix))
      return buildEqualBlocks(builder, loc, matrix, /*inputs=*/1, pattern[0]);
    Value flat = buildFlat(builder, loc, pattern[0]);
    return {buildRemainders(builder, loc, flat, structure.getM())};
  }
};

} // namespace

void sparsam::registerNMSparseTensor(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparsamDialect *) {
    NMAttr::attachInterface<NMSparseTensor>(*context);
  });
}
