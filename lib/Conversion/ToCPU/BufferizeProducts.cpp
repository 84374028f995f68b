// How sparsam.spmm and sparsam.sddmm become products on memrefs.

#include "sparsam/Conversion/Bufferization.h"
#include "sparsam/IR/SparsamDialect.h"
#include "sparsam/IR/SparsamOps.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace mlir::bufferization;

namespace {

template <typename Op>
struct BufferizeProduct
    : DstBufferizableOpInterfaceExternalModel<BufferizeProduct<Op>, Op> {
  /// The destination is overwritten, not accumulated into.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    SmallVector<Value> buffers;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    unsigned init = cast<Op>(op).getInitMutable().getOperandNumber();
    clone(rewriter, op, /*newResultTypes=*/TypeRange{}, buffers);
    replaceOpWithBufferizedValues(rewriter, op, buffers[init]);
    return success();
  }
};

} // namespace

void sparsam::registerBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparsamDialect *) {
    SpmmOp::attachInterface<BufferizeProduct<SpmmOp>>(*context);
    SddmmOp::attachInterface<BufferizeProduct<SddmmOp>>(*context);
  });
}
