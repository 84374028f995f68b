// Ops over the same iterations that share operands become one op.
#include "GenericFusion.h"
#include "TensorOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "sparsam/Conversion/Passes.h"

#include <deque>

namespace mlir::sparsam {
#define GEN_PASS_DEF_FUSESIBLINGSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;
using linalg::GenericOp;

namespace {

/// Ops that will be one, in program order; their loops are given in those of the first.
struct Group {
  SmallVector<cpu::FusionRoot> roots;
  llvm::SmallDenseSet<Value> operands;
};

/// A group that reads or makes a tensor, and the tensor's indices in its loops.
struct Access {
  Group *group;
  AffineMap map;
};

class SiblingFinder {
public:
  SiblingFinder(int64_t maxOperands) : maxOperands(maxOperands) {}

  void add(GenericOp op);
  std::deque<Group> &getGroups() { return groups; }

private:
  void join(Group &group, cpu::FusionRoot root);
  bool canJoin(Group &group, cpu::FusionRoot root);
  /// The fused op takes the place of its last member; whether all that read the others'
  /// results come behind it.
  bool comesBeforeReaders(Group &group, cpu::FusionRoot root);
  /// Whether what `op` needs of the group is there at the same iteration.
  bool readsInStep(Group &group, cpu::FusionRoot root);

  int64_t maxOperands;
  std::deque<Group> groups;
  /// The last group that accesses a tensor in all of its loops.
  DenseMap<Value, Access> accesses;
};

void SiblingFinder::add(GenericOp op) {
  for (OpOperand *operand : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    auto access = accesses.find(operand->get());
    if (access == accesses.end() || !map.isPermutation())
      continue;
    cpu::FusionRoot root{op, inversePermutation(map).compose(access->second.map)};
    if (canJoin(*access->second.group, root))
      return join(*access->second.group, root);
  }
  AffineMap identity =
      AffineMap::getMultiDimIdentityMap(op.getNumLoops(), op.getContext());
  join(groups.emplace_back(), {op, identity});
}

void SiblingFinder::join(Group &group, cpu::FusionRoot root) {
  group.roots.push_back(root);
  for (OpOperand &operand : root.op->getOpOperands()) {
    AffineMap map = root.op.getMatchingIndexingMap(&operand);
    bool isInit = root.op.isDpsInit(&operand);
    Value value = isInit ? root.op.getTiedOpResult(&operand) : operand.get();
    group.operands.insert(value);
    if (map.isPermutation())
      accesses[value] = {&group, map.compose(root.loops)};
  }
}

bool SiblingFinder::canJoin(Group &group, cpu::FusionRoot root) {
  GenericOp first = group.roots.front().op;
  if (first->getBlock() != root.op->getBlock())
    return false;
  SmallVector<utils::IteratorType> iterators = first.getIteratorTypesArray();
  SmallVector<utils::IteratorType> others = root.op.getIteratorTypesArray();
  for (auto [loop, expr] : llvm::enumerate(root.loops.getResults()))
    if (others[loop] != iterators[cast<AffineDimExpr>(expr).getPosition()])
      return false;
  llvm::SmallDenseSet<Value> operands = group.operands;
  for (Value value : root.op->getOperands())
    operands.insert(value);
  if (static_cast<int64_t>(operands.size()) > maxOperands)
    return false;
  return comesBeforeReaders(group, root) && readsInStep(group, root);
}

bool SiblingFinder::comesBeforeReaders(Group &group, cpu::FusionRoot root) {
  SmallVector<Operation *> makers;
  for (cpu::FusionRoot member : group.roots)
    makers.push_back(member.op);
  for (size_t i = 0; i < makers.size(); ++i)
    for (Operation *user : makers[i]->getUsers()) {
      Operation *reader = root.op->getBlock()->findAncestorOpInBlock(*user);
      if (reader == root.op) {
        // What the op itself reads through a reshape would come behind it.
        if (cpu::isReshape(makers[i]))
          return false;
        continue;
      }
      if (!reader || llvm::is_contained(makers, reader) ||
          root.op->isBeforeInBlock(reader))
        continue;
      // A reshape can move behind the fused op; what reads it counts.
      if (!cpu::isReshape(reader))
        return false;
      makers.push_back(reader);
    }
  return true;
}

bool SiblingFinder::readsInStep(Group &group, cpu::FusionRoot root) {
  auto findMember = [&](Value value) {
    return llvm::find_if(group.roots, [&](cpu::FusionRoot member) {
      return member.op == value.getDefiningOp();
    });
  };
  for (OpOperand &operand : root.op->getOpOperands()) {
    auto *member = findMember(operand.get());
    if (member == group.roots.end())
      continue;
    if (!root.op.isDpsInput(&operand) || !cpu::getInlinableProducer(operand))
      return false;
    AffineMap out =
        member->op.getIndexingMapMatchingResult(cast<OpResult>(operand.get()));
    AffineMap needed = root.op.getMatchingIndexingMap(&operand).compose(root.loops);
    if (inversePermutation(out).compose(needed) != member->loops)
      return false;
  }
  bool isCaptured = false;
  root.op.getRegion().walk([&](Operation *nested) {
    isCaptured |= llvm::any_of(nested->getOperands(), [&](Value operand) {
      return findMember(operand) != group.roots.end();
    });
  });
  return !isCaptured;
}

struct FuseSiblingsPass : sparsam::impl::FuseSiblingsPassBase<FuseSiblingsPass> {
  using FuseSiblingsPassBase::FuseSiblingsPassBase;

  void runOnOperation() override {
    SiblingFinder finder(maxOperands);
    getOperation()->walk([&](GenericOp op) {
      if (op.hasPureTensorSemantics() && op.getNumLoops() > 0 && !cpu::isContraction(op))
        finder.add(op);
    });
    IRRewriter rewriter(&getContext());
    for (Group &group : finder.getGroups())
      if (group.roots.size() > 1)
        fuse(rewriter, group);
  }

  void fuse(IRRewriter &rewriter, Group &group) {
    GenericOp last = group.roots.back().op;
    rewriter.setInsertionPoint(last);
    FailureOr<GenericOp> fused = cpu::fuseGenerics(
        rewriter, group.roots, [](OpOperand &, GenericOp) { return false; });
    if (failed(fused))
      return;
    ValueRange results = (*fused)->getResults();
    for (cpu::FusionRoot root : group.roots) {
      unsigned count = root.op->getNumResults();
      rewriter.replaceAllUsesWith(root.op->getResults(), results.take_front(count));
      results = results.drop_front(count);
      ++numFused;
    }
    for (cpu::FusionRoot root : llvm::reverse(group.roots))
      rewriter.eraseOp(root.op);
    moveReshapesBehind(rewriter, *fused);
  }

  static void moveReshapesBehind(IRRewriter &rewriter, GenericOp fused) {
    SmallVector<Operation *> moved{fused};
    for (size_t i = 0; i < moved.size(); ++i)
      for (Operation *user : moved[i]->getUsers())
        if (user->getBlock() == fused->getBlock() && user->isBeforeInBlock(fused)) {
          rewriter.moveOpAfter(user, moved.back());
          moved.push_back(user);
        }
  }
};

} // namespace
