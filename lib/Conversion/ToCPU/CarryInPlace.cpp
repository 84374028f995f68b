// Loops that carry tensors: each carried value stays in one buffer.
//
// What an iteration hands on is an update of what is carried in the same place, made in
// its buffer, or it is written over that when all else is done. Bufferization refuses a
// value that is read after its buffer is written: all of those are copied here.

#include "CarriedTensors.h"
#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/SubsetOpInterface.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_CARRYINPLACEPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::bufferization;

namespace {

/// A copy made as soon as there is `value` in `block`.
Value copyIn(Block &block, Value value) {
  Operation *op = value.getParentBlock() == &block ? value.getDefiningOp() : nullptr;
  return copyBefore(op ? op->getNextNode() : &block.front(), value);
}

bool isLoop(Operation *op) { return isa_and_nonnull<scf::ForOp, scf::WhileOp>(op); }

bool isBranch(Operation *op) {
  return isa_and_nonnull<scf::IfOp, scf::IndexSwitchOp>(op);
}

/// What the branches of `op` hand on as its result.
SmallVector<OpOperand *> getBranchYields(Operation *op, unsigned number) {
  return llvm::map_to_vector(op->getRegions(), [&](Region &region) {
    return &region.front().getTerminator()->getOpOperand(number);
  });
}

/// Whether `user` is done when `op` starts, or is in another branch.
bool isDoneBefore(Operation *user, Operation *op) {
  for (bool isInBranch = false;; isInBranch = true, op = op->getParentOp())
    if (Operation *ancestor = op->getBlock()->findAncestorOpInBlock(*user))
      return ancestor->isBeforeInBlock(op) || (isInBranch && ancestor == op);
}

/// One loop's body; the loops inside it carry in place already.
class Body {
public:
  Body(scf::YieldOp yield, ValueRange carried) : yield(yield), carried(carried) {}

  void carryInPlace();

private:
  struct Writes {
    llvm::SmallSetVector<OpOperand *, 4> all, early;
  };
  /// What a new value may share a buffer with: values of the body, some from outside, a
  /// tensor that holds nothing before and gets any buffer.
  struct Sharing {
    SmallVector<Value> values;
    bool isOutside = false, isNew = false;
  };

  bool isInside(Value value) const {
    return yield->getParentRegion()->isAncestor(value.getParentRegion());
  }
  OpOperand *getSource(Value value) const;
  Value getHandedOn(OpOperand &use, Operation *write) const;
  bool isUsedBehind(Value value, OpOperand *source, OpOperand *write) const;
  Value follow(Value value, Writes &writes) const;
  void copyMixed(Operation *branch) const;
  bool isInPlace(Value value, Value buffer) const;
  Sharing getSharing(OpOperand &operand) const;
  bool isOneOfSeveral(const Sharing &sharing, Value buffer) const;

  scf::YieldOp yield;
  ValueRange carried;
  BufferizationOptions options;
  AnalysisState state{options};
};

} // namespace

/// The operand in whose buffer `value` is where the op that makes it works in place.
OpOperand *Body::getSource(Value value) const {
  Operation *op = value.getDefiningOp();
  if (!op)
    return nullptr;
  AliasingOpOperandList sources = state.getAliasingOpOperands(value);
  if (sources.getNumAliases() != 1)
    return nullptr;
  auto [source, relation, isDefinite] = *sources.begin();
  bool isWhole = relation == BufferRelation::Equivalent || isLoop(op);
  return isWhole && isInside(source->get()) ? source : nullptr;
}

/// The same value under another name: what a branch or a view makes of it by `use`,
/// unless the branch is around `write`.
Value Body::getHandedOn(OpOperand &use, Operation *write) const {
  Operation *user = use.getOwner(), *parent = user->getParentOp();
  if (isa<scf::YieldOp>(user) && isBranch(parent) && !parent->isAncestor(write))
    return parent->getResult(use.getOperandNumber());
  bool isView = user->getNumResults() == 1 && getSource(user->getResult(0)) == &use &&
                !state.bufferizesToMemoryWrite(use);
  return isView ? user->getResult(0) : Value();
}

/// Whether anything but `write`, and `source` in front of it, uses `value` after `write`.
bool Body::isUsedBehind(Value value, OpOperand *source, OpOperand *write) const {
  Operation *op = write->getOwner();
  return llvm::any_of(value.getUses(), [&](OpOperand &use) {
    if (&use == source || &use == write)
      return false;
    Value handedOn = getHandedOn(use, op);
    return !isDoneBefore(use.getOwner(), op) ||
           (handedOn && isUsedBehind(handedOn, source, write));
  });
}

/// The carried value that `value` is a series of updates of, or null; and the updates,
/// those among them that come before the last reader of what they overwrite.
Value Body::follow(Value value, Writes &writes) const {
  while (!llvm::is_contained(carried, value)) {
    if (Operation *op = value.getDefiningOp(); isBranch(op)) {
      unsigned number = cast<OpResult>(value).getResultNumber();
      auto ends =
          llvm::map_to_vector(getBranchYields(op, number), [&](OpOperand *operand) {
            return follow(operand->get(), writes);
          });
      return llvm::all_equal(ends) ? ends.front() : Value();
    }
    OpOperand *source = getSource(value);
    if (!source)
      return {};
    value = source->get();
    if (state.bufferizesToMemoryWrite(*source))
      writes.all.insert(source);
    for (OpOperand *write : writes.all)
      if (isUsedBehind(value, source, write))
        writes.early.insert(write);
  }
  return value;
}

/// Where branches leave a value in the buffers of several carried ones: lets each hand on
/// a copy. Bufferization takes what one of them writes for read behind the other.
void Body::copyMixed(Operation *branch) const {
  for (OpResult result : branch->getResults()) {
    if (!isa<RankedTensorType>(result.getType()))
      continue;
    llvm::SmallDenseSet<Value> ends;
    Writes writes;
    SmallVector<OpOperand *> inPlace;
    for (OpOperand *operand : getBranchYields(branch, result.getResultNumber()))
      if (Value end = follow(operand->get(), writes)) {
        ends.insert(end);
        inPlace.push_back(operand);
      }
    if (ends.size() > 1)
      for (OpOperand *operand : inPlace)
        operand->set(copyIn(*operand->getOwner()->getBlock(), operand->get()));
  }
}

/// Whether `value` is made in `buffer`, which is carried. An update of a carried value
/// that is read later starts from a copy.
bool Body::isInPlace(Value value, Value buffer) const {
  Writes writes;
  Value end = follow(value, writes);
  if (end)
    for (OpOperand *write : writes.early)
      write->set(copyBefore(write->getOwner(), write->get()));
  return end == buffer && writes.early.empty();
}

Body::Sharing Body::getSharing(OpOperand &operand) const {
  Sharing sharing;
  auto visit = [&](Value value) {
    if (value.getDefiningOp<tensor::EmptyOp>())
      return sharing.isNew = true;
    if (!isInside(value))
      return sharing.isOutside = true;
    sharing.values.push_back(value);
    return false;
  };
  TraversalConfig config;
  config.followUnknownOps = false;
  state.findValueInReverseUseDefChain(&operand, visit, config);
  return sharing;
}

/// Whether bufferization would have a new value in `buffer` now and then only. It sees
/// where branches leave it there, but not behind a loop.
bool Body::isOneOfSeveral(const Sharing &sharing, Value buffer) const {
  bool isOwn = llvm::is_contained(sharing.values, buffer);
  bool isOther = sharing.isOutside, isOfLoop = false;
  for (Value value : sharing.values) {
    isOther |= value != buffer && llvm::is_contained(carried, value);
    isOfLoop |= isLoop(value.getDefiningOp());
  }
  return (isOwn && isOfLoop) || (isOther && (isOwn || sharing.isNew));
}

void Body::carryInPlace() {
  Operation *loop = yield->getParentOp();
  loop->walk([&](Operation *op) {
    if (isBranch(op) && op->getParentOfType<LoopLikeOpInterface>() == loop)
      copyMixed(op);
  });
  SmallVector<std::pair<OpOperand *, Value>> moved;
  // By value, the buffer that it or what shares its own is written to.
  DenseMap<Value, Value> targets;
  for (auto [operand, buffer] : llvm::zip_equal(yield->getOpOperands(), carried))
    if (isa<RankedTensorType>(buffer.getType()) && !isInPlace(operand.get(), buffer)) {
      moved.emplace_back(&operand, buffer);
      targets[buffer] = buffer;
    }
  // By new value, where it is read from: where it was written to, once it was.
  DenseMap<Value, Value> sources;
  for (auto [operand, buffer] : moved) {
    Value value = operand->get();
    if (!sources.try_emplace(value, value).second)
      continue;
    Sharing sharing = getSharing(*operand);
    bool isCopied = isOneOfSeveral(sharing, buffer);
    for (Value other : sharing.values)
      isCopied |= targets.try_emplace(other, buffer).first->second != buffer;
    if (isCopied)
      sources[value] = copyBefore(yield, value);
  }
  for (auto [operand, buffer] : moved) {
    Value &source = sources[operand->get()];
    source = writeBefore(yield, source, buffer);
    operand->set(source);
  }
}

/// Lets the condition of `loop` hand on all that it gets, in order, and what else it did
/// behind that: the body's arguments are in the buffers that the condition reads then.
static scf::WhileOp handOnInOrder(scf::WhileOp loop) {
  scf::ConditionOp condition = loop.getConditionOp();
  Block::BlockArgListType before = loop.getBeforeArguments();
  if (llvm::equal(condition.getArgs(), before))
    return loop;
  // By old number, the new one.
  SmallVector<unsigned> numbers;
  SmallVector<Value> handedOn(before.begin(), before.end());
  for (Value value : condition.getArgs()) {
    auto argument = dyn_cast<BlockArgument>(value);
    bool isCarried = argument && argument.getOwner() == loop.getBeforeBody();
    numbers.push_back(isCarried ? argument.getArgNumber() : handedOn.size());
    if (!isCarried)
      handedOn.push_back(value);
  }
  OpBuilder builder(loop);
  auto inOrder = scf::WhileOp::create(builder, loop.getLoc(),
                                      TypeRange(ValueRange(handedOn)), loop.getInits());
  inOrder.getBefore().takeBody(loop.getBefore());
  condition.getArgsMutable().assign(handedOn);
  Block *body =
      builder.createBlock(&inOrder.getAfter(), {}, TypeRange(ValueRange(handedOn)),
                          SmallVector<Location>(handedOn.size(), loop.getLoc()));
  for (auto [argument, number] : llvm::zip_equal(loop.getAfterArguments(), numbers))
    argument.replaceAllUsesWith(body->getArgument(number));
  body->getOperations().splice(body->end(), loop.getAfterBody()->getOperations());
  for (auto [result, number] : llvm::zip_equal(loop.getResults(), numbers))
    result.replaceAllUsesWith(inOrder.getResult(number));
  loop.erase();
  return inOrder;
}

static void carryInPlace(Operation *op) {
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    op = handOnInOrder(loop);
  if (auto body = getLoopBody(op))
    Body(body->yield, body->carried).carryInPlace();
}

/// A part that is inserted in a loop into a tensor from outside of it needs a copy of
/// that in each iteration. Bufferization takes the part for written at the insertion
/// alone, though what makes it may do so in place, and so makes none.
static void copyFromOutside(SubsetInsertionOpInterface insertion) {
  auto loop = insertion->getParentOfType<LoopLikeOpInterface>();
  if (!loop)
    return;
  BufferizationOptions options;
  AnalysisState state(options);
  OpOperand &destination = insertion.getDestinationOperand();
  auto isOutside = [&](Value value) {
    return !loop->isAncestor(value.getParentRegion()->getParentOp());
  };
  auto found = state.findValueInReverseUseDefChain(&destination, isOutside);
  // An empty tensor holds nothing to copy.
  if (llvm::any_of(found, [&](Value value) {
        return isOutside(value) && !value.getDefiningOp<tensor::EmptyOp>();
      }))
    destination.set(copyBefore(insertion, destination.get()));
}

/// The slice that a value is, perhaps in another shape; null for a tensor of its own.
/// Branches inside are done already.
static tensor::ExtractSliceOp getSlice(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
      return slice;
    if (isBranch(op))
      value = getBranchYields(op, cast<OpResult>(value).getResultNumber()).front()->get();
    else if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(op))
      value = op->getOperand(0);
    else
      break;
  }
  return {};
}

/// Where branches hand on other things than one slice, slices are copied: the buffers
/// behind a branch would have strides and offsets that nobody knows.
static void copySlices(Operation *branch) {
  for (OpResult result : branch->getResults()) {
    SmallVector<OpOperand *> handedOn = getBranchYields(branch, result.getResultNumber());
    if (!isa<RankedTensorType>(result.getType()) ||
        llvm::all_equal(
            llvm::map_range(handedOn, [](OpOperand *operand) { return operand->get(); })))
      continue;
    for (OpOperand *operand : handedOn)
      if (getSlice(operand->get()))
        operand->set(copyBefore(operand->getOwner(), operand->get()));
  }
}

namespace {
struct CarryInPlacePass : sparsam::impl::CarryInPlacePassBase<CarryInPlacePass> {
  using CarryInPlacePassBase::CarryInPlacePassBase;

  void runOnOperation() override {
    getOperation().walk([](SubsetInsertionOpInterface op) { copyFromOutside(op); });
    getOperation().walk([](Operation *op) {
      if (isBranch(op))
        copySlices(op);
    });
    getOperation().walk([](Operation *op) { carryInPlace(op); });
  }
};
} // namespace
