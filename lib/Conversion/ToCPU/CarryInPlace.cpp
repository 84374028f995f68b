// Loops that carry tensors: each carried value stays in one buffer.

#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_CARRYINPLACEPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;

namespace {

/// Whether a value is `carried` with parts of it overwritten, in its buffer already.
bool isUpdateOf(Value value, BlockArgument carried) {
  while (value != carried) {
    // All of it, by the loop inside, whose body is done already.
    if (auto write = value.getDefiningOp<bufferization::MaterializeInDestinationOp>()) {
      value = write.getDest();
    } else if (auto insert = value.getDefiningOp<tensor::InsertOp>()) {
      value = insert.getDest();
    } else if (auto slice = value.getDefiningOp<tensor::InsertSliceOp>()) {
      value = slice.getDest();
    } else if (auto inner = value.getDefiningOp<scf::ForOp>()) {
      unsigned position = cast<OpResult>(value).getResultNumber();
      if (!isUpdateOf(inner.getYieldedValues()[position],
                      inner.getRegionIterArgs()[position]))
        return false;
      value = inner.getInitArgs()[position];
      // Whoever reads it beside that loop needs what was there before.
      bool isOverwritten =
          inner.getYieldedValues()[position]
              .getDefiningOp<bufferization::MaterializeInDestinationOp>();
      if (isOverwritten && value == carried && !carried.hasOneUse())
        return false;
    } else {
      return false;
    }
  }
  return true;
}

/// Writes each tensor that `yield` hands to the next iteration over the one before,
/// which is the argument of the loop's body in the same position.
void carryInPlace(scf::YieldOp yield, ArrayRef<BlockArgument> arguments) {
  OpBuilder builder(yield);
  SmallVector<std::pair<OpOperand *, BlockArgument>> moved;
  for (auto [operand, carried] : llvm::zip_equal(yield->getOpOperands(), arguments))
    if (isa<RankedTensorType>(carried.getType()) && !isUpdateOf(operand.get(), carried))
      moved.emplace_back(&operand, carried);

  // A loop inside that overwrites what it starts from starts from a copy.
  for (auto [operand, carried] : moved) {
    auto inner = operand->get().getDefiningOp<scf::ForOp>();
    if (!inner)
      continue;
    OpOperand &init =
        inner.getInitsMutable()[cast<OpResult>(operand->get()).getResultNumber()];
    if (init.get() != carried)
      continue;
    OpBuilder before(inner);
    init.set(bufferization::AllocTensorOp::create(
        before, inner.getLoc(), cast<RankedTensorType>(carried.getType()),
        /*dynamicSizes=*/ValueRange(), /*copy=*/carried));
  }
  // A value carried under another name (a rotation) must be read before any is
  // written over.
  for (auto [operand, carried] : moved) {
    auto other = dyn_cast<BlockArgument>(operand->get());
    if (!other || other.getOwner() != yield->getBlock())
      continue;
    operand->set(bufferization::AllocTensorOp::create(
        builder, yield.getLoc(), cast<RankedTensorType>(carried.getType()),
        /*dynamicSizes=*/ValueRange(), /*copy=*/operand->get()));
  }
  for (auto [operand, carried] : moved)
    operand->set(bufferization::MaterializeInDestinationOp::create(
                     builder, yield.getLoc(), carried.getType(), operand->get(), carried)
                     .getResult());
}

void carryInPlace(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    carryInPlace(cast<scf::YieldOp>(loop.getBody()->getTerminator()),
                 SmallVector<BlockArgument>(loop.getRegionIterArgs()));
  } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    // Where the condition hands on what came in, in order, the body's arguments are in
    // the buffers that the next iteration's condition reads.
    if (llvm::equal(loop.getConditionOp().getArgs(), loop.getBeforeArguments()))
      carryInPlace(loop.getYieldOp(),
                   SmallVector<BlockArgument>(loop.getAfterArguments()));
  }
}

struct CarryInPlacePass : sparsam::impl::CarryInPlacePassBase<CarryInPlacePass> {
  using CarryInPlacePassBase::CarryInPlacePassBase;

  void runOnOperation() override {
    getOperation().walk([](Operation *op) { carryInPlace(op); });
  }
};

} // namespace
