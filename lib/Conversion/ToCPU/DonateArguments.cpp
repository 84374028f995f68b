// Updates are computed in what they update.
#include "Destinations.h"

#include "TensorOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;
using linalg::GenericOp;

/// `value` in the shape that `like` has in front of the reshapes that lead to it:
/// applies to `value`, which has the type of `like`, their inverses in turn.
static Value reshapeBack(OpBuilder &builder, Value value, Value like) {
  while (isReshape(like.getDefiningOp())) {
    Operation *op = like.getDefiningOp();
    Type type = op->getOperand(0).getType();
    if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
      value = tensor::ExpandShapeOp::create(builder, op->getLoc(), type, value,
                                            collapse.getReassociationIndices());
    else
      value = tensor::CollapseShapeOp::create(
          builder, op->getLoc(), type, value,
          cast<tensor::ExpandShapeOp>(op).getReassociationIndices());
    like = op->getOperand(0);
  }
  return value;
}

void Destinations::donate(int64_t &donated, int64_t &missed) {
  Operation *terminator = function.getBody().front().getTerminator();
  for (BlockArgument argument : function.getArguments()) {
    auto updates = function.getArgAttrOfType<IntegerAttr>(argument.getArgNumber(),
                                                          "sparsam.updates");
    if (!updates || updates.getInt() < 0 ||
        updates.getInt() >= terminator->getNumOperands())
      continue;
    Value result = terminator->getOperand(updates.getInt());
    if (result == argument)
      continue;
    ++(succeeded(donate(argument, result)) ? donated : missed);
  }
}

LogicalResult Destinations::donate(BlockArgument argument, Value result) {
  if (result.getType() != argument.getType())
    return failure();
  Value source = lookThroughReshapes(result);
  Operation *op = source.getDefiningOp();
  if (!op || op->getBlock() != argument.getOwner())
    return failure();
  OpOperand *init = nullptr;
  if (auto dps = dyn_cast<DestinationStyleOpInterface>(op))
    init = dps.getTiedOpOperand(cast<OpResult>(source));
  else if (auto loop = dyn_cast<scf::ForOp>(op))
    init = loop.getTiedLoopInit(cast<OpResult>(source));
  if (!init)
    return failure();
  builder.setInsertionPoint(op);
  Contents contents = getContents(init->get());
  if (contents.kind == Contents::Unknown)
    return failure();
  Value buffer = reshapeBack(builder, argument, result);
  if (auto generic = dyn_cast<GenericOp>(op)) {
    if (failed(readInPlace(generic, *init, buffer, argument)))
      return failure();
  } else if (llvm::any_of(op->getOperands(), [&](Value operand) {
               return lookThroughReshapes(operand) == argument;
             })) {
    return failure();
  }
  set(*init, buffer, contents);
  sinkBelowReaders(op, argument);
  return success();
}

/// Lets the payload read what it reads of the argument through the destination. Fails
/// where it reads the argument at other indices than it writes.
LogicalResult Destinations::readInPlace(GenericOp op, OpOperand &init, Value buffer,
                                        BlockArgument argument) {
  AffineMap map = op.getMatchingIndexingMap(&init);
  SmallVector<OpOperand *> readers;
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (lookThroughReshapes(input->get()) != argument)
      continue;
    if (input->get().getType() != buffer.getType() ||
        op.getMatchingIndexingMap(input) != map || !isElementwise(op))
      return failure();
    readers.push_back(input);
  }
  bool isCaptured = false;
  op.getRegion().walk([&](Operation *nested) {
    isCaptured |= llvm::any_of(nested->getOperands(), [&](Value operand) {
      return lookThroughReshapes(operand) == argument;
    });
  });
  if (isCaptured)
    return failure();
  BlockArgument current = op.getMatchingBlockArgument(&init);
  for (OpOperand *input : readers)
    op.getMatchingBlockArgument(input).replaceAllUsesWith(current);
  return success();
}

/// Whether anything behind `op` in its block, the terminator aside, reads `argument`.
static bool hasReaderBehind(Operation *op, BlockArgument argument) {
  SmallVector<Value> views{argument};
  for (size_t i = 0; i < views.size(); ++i)
    for (Operation *user : views[i].getUsers()) {
      if (isReshape(user)) {
        views.push_back(user->getResult(0));
        continue;
      }
      Operation *ancestor = op->getBlock()->findAncestorOpInBlock(*user);
      if (ancestor && ancestor != op->getBlock()->getTerminator() &&
          op->isBeforeInBlock(ancestor))
        return true;
    }
  return false;
}

/// An update that nothing but the return waits for leaves the old value to those who
/// still read it.
void Destinations::sinkBelowReaders(Operation *op, BlockArgument argument) {
  Operation *terminator = op->getBlock()->getTerminator();
  SmallVector<Operation *> moved{op};
  for (size_t i = 0; i < moved.size(); ++i)
    for (Operation *user : moved[i]->getUsers())
      if (user != terminator) {
        if (!isReshape(user))
          return;
        if (!llvm::is_contained(moved, user))
          moved.push_back(user);
      }
  if (hasReaderBehind(op, argument))
    for (Operation *later : moved)
      later->moveBefore(terminator);
}
