#include "CarriedTensors.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;
using namespace mlir::sparsam;

std::optional<LoopBody> sparsam::getLoopBody(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return LoopBody{cast<scf::YieldOp>(loop.getBody()->getTerminator()),
                    llvm::to_vector_of<Value>(loop.getRegionIterArgs())};
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return LoopBody{loop.getYieldOp(),
                    llvm::to_vector_of<Value>(
                        loop.getAfterArguments().take_front(loop.getInits().size()))};
  return std::nullopt;
}

Value sparsam::copyBefore(Operation *op, Value value) {
  OpBuilder builder(op);
  return bufferization::AllocTensorOp::create(
      builder, op->getLoc(), cast<RankedTensorType>(value.getType()),
      /*dynamicSizes=*/ValueRange(), /*copy=*/value);
}

Value sparsam::writeBefore(Operation *op, Value value, Value buffer) {
  OpBuilder builder(op);
  return bufferization::MaterializeInDestinationOp::create(
             builder, op->getLoc(), buffer.getType(), value, buffer)
      .getResult();
}
