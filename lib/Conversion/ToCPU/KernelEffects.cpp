#include "KernelEffects.h"

#include "Buffers.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

/// Whether `op`, which uses the memory of `root`, may write it.
static bool mayWrite(Operation *op, Value root, const KernelLibrary &library) {
  if (isMemoryEffectFree(op))
    return false;
  auto isRoot = [&](Value value) {
    Value other = isa<BaseMemRefType>(value.getType()) ? getRootBuffer(value) : Value();
    return !other || other == root;
  };
  if (auto interface = dyn_cast<MemoryEffectOpInterface>(op)) {
    SmallVector<MemoryEffects::EffectInstance> effects;
    interface.getEffects(effects);
    return llvm::any_of(effects, [&](const MemoryEffects::EffectInstance &effect) {
      return isa<MemoryEffects::Write, MemoryEffects::Free>(effect.getEffect()) &&
             (!effect.getValue() || isRoot(effect.getValue()));
    });
  }
  // What it contains uses the memory itself, and is asked itself.
  if (op->hasTrait<OpTrait::HasRecursiveMemoryEffects>())
    return false;
  if (auto call = dyn_cast<func::CallOp>(op))
    if (std::optional<unsigned> writes =
            library.getNumWritten(call.getCalleeAttr().getAttr()))
      return llvm::any_of(op->getOperands().take_back(*writes), isRoot);
  return true;
}

/// Whether `op`, which uses a buffer, is more than the place of what uses it inside.
static bool touches(Operation *op) {
  bool isPlace = op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() &&
                 !isa<MemoryEffectOpInterface>(op);
  return !isPlace && !isMemoryEffectFree(op);
}

/// Whether an operation between the two that uses the memory of `matrix` does what
/// `matters`. Outside of their block it runs before or after both, except in a loop
/// around the block, which comes back to `first`.
static bool isAnyBetween(Value matrix, Operation *first, Operation *last,
                         function_ref<bool(Operation *, Value)> matters) {
  Value root = getRootBuffer(matrix);
  if (!root)
    return true;
  bool found = false;
  forEachUserThroughViews(root, [&](Operation *user) {
    Operation *ancestor = first->getBlock()->findAncestorOpInBlock(*user);
    if (ancestor && first->isBeforeInBlock(ancestor) && ancestor->isBeforeInBlock(last))
      found = found || matters(user, root);
  });
  return found;
}

bool cpu::isUnchangedBetween(Value matrix, Operation *first, Operation *last,
                             const KernelLibrary &library) {
  return !isAnyBetween(matrix, first, last, [&](Operation *user, Value root) {
    return mayWrite(user, root, library);
  });
}

bool cpu::isUpToDate(const KernelLibrary::Filled &known, Value source, OpBuilder &builder,
                     const KernelLibrary &library) {
  Block *block = builder.getInsertionBlock();
  Block::iterator here = builder.getInsertionPoint();
  return known.call && known.call->getBlock() == block && here != block->end() &&
         isUnchangedBetween(source, known.call, &*here, library);
}

bool cpu::isUnusedBetween(Value matrix, Operation *first, Operation *last) {
  return !isAnyBetween(matrix, first, last,
                       [](Operation *user, Value) { return touches(user); });
}

bool cpu::isUsedElsewhere(Value matrix, ArrayRef<Operation *> known) {
  Value root = getRootBuffer(matrix);
  if (!root || !root.getDefiningOp<memref::AllocOp>())
    return true;
  bool used = false;
  forEachUserThroughViews(root, [&](Operation *user) {
    // A buffer also leaves the function by its return, or as a plain number.
    bool leaves = isa<func::ReturnOp, memref::ExtractAlignedPointerAsIndexOp>(user);
    if (!llvm::is_contained(known, user) && !isa<memref::DeallocOp>(user))
      used |= leaves || touches(user);
  });
  return used;
}
