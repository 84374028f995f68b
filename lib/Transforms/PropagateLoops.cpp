// Rule 10 of the algebra, loops: what is done to a gradient that loops over layers, or
// over parts of a batch, make is done to the parts.
//
// restrict(for (acc = 0) { acc = insert_slice(g, acc)[l] }, i) becomes
// for (acc = 0) { acc = insert_slice(restrict(g, i[l]), acc)[l] }, and likewise for sums
// and for the einsums that make the gradients of factors.
#include "LoopCarried.h"
#include "PropagateRules.h"
#include "Rules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "sparsam/Analysis/ElementwiseSlice.h"
#include "sparsam/Analysis/Product.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

struct RestrictCarried : OpRewritePattern<RestrictOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RestrictOp op, PatternRewriter &rewriter) const override {
    if (!op.getSource().getDefiningOp<LoopLikeOpInterface>())
      return rewriter.notifyMatchFailure(op, "the source is not carried by a loop");
    auto map = createRestrictMap({op.getStructure(), llvm::to_vector(op.getPattern())},
                                 op.getSource().getType().getShape());
    if (!isMadeOfParts(op.getSource(), *map))
      return rewriter.notifyMatchFailure(op, "the loop needs all of what it carries");
    rewriter.replaceOp(op, applyToParts(rewriter, op.getLoc(), op.getSource(), *map));
    return success();
  }
};

} // namespace

void sparsam::populateLoopPatterns(RewritePatternSet &patterns) {
  patterns.add<RestrictCarried>(patterns.getContext());
}

/// Places of slices are computed from the number of the iteration: first of all, so that
/// what is sliced is known before the loops inside.
static void computePlacesFirst(func::FuncOp function) {
  function.walk([](scf::ForOp loop) {
    Block *body = loop.getBody();
    Operation *last = nullptr;
    for (Operation &op : llvm::make_early_inc_range(body->without_terminator())) {
      auto isKnown = [&](Value operand) {
        Operation *definition = operand.getDefiningOp();
        return !definition || definition->getBlock() != body ||
               (last && (definition == last || definition->isBeforeInBlock(last)));
      };
      if (!isa<arith::ArithDialect>(op.getDialect()) || op.getNumRegions() ||
          !llvm::all_of(op.getResultTypes(), [](Type t) { return t.isIntOrIndex(); }) ||
          !llvm::all_of(op.getOperands(), isKnown))
        continue;
      if (last)
        op.moveAfter(last);
      else
        op.moveBefore(&body->front());
      last = &op;
    }
  });
}

/// A multiple by a scalar that is repeated first takes the scalar itself: then the map of
/// a multiple is the multiple of the map.
static void takeScalars(func::FuncOp function) {
  IRRewriter rewriter(function.getContext());
  function.walk([&](linalg::LinalgOp op) {
    Value scale;
    FailureOr<ElementwiseOp> multiple = matchElementwise(op);
    if (failed(multiple) || multiple->readsDestination ||
        !getScaled(op->getResult(0), scale) || !scale)
      return;
    SmallVector<Value> operands;
    for (ElementwiseOperand &operand : multiple->operands) {
      if (operand.access == ElementAccess::Permuted)
        return;
      if (getRepeatedScalar(operand.value) == scale)
        operand = {scale, ElementAccess::Scalar, {}};
      operands.push_back(operand.value);
    }
    if (ValueRange(operands) == op->getOperands().take_front(operands.size()))
      return;
    rewriter.setInsertionPoint(op);
    rewriter.replaceOp(
        op, cloneElementwise(rewriter, *multiple, operands, multiple->type.getShape()));
  });
}

/// Moves a change of layout in front of `op`'s operand into what makes its source.
static bool moveLayoutChange(RewriterBase &rewriter, OpOperand &operand) {
  Operation *view = operand.get().getDefiningOp();
  if (!view)
    return false;
  // A copy of what a loop makes that only adds dimensions of size 1 is a reshape.
  auto copied = matchCopy(view);
  if (succeeded(copied) &&
      getViewRoot(operand.get()).getDefiningOp<LoopLikeOpInterface>()) {
    SmallVector<int64_t> kept =
        llvm::filter_to_vector(*copied, [](int64_t dim) { return dim >= 0; });
    if (kept.size() < copied->size() && llvm::is_sorted(kept)) {
      rewriter.setInsertionPoint(view);
      rewriter.replaceOp(
          view,
          createReshape(rewriter, view->getLoc(), view->getOperand(0),
                        cast<RankedTensorType>(operand.get().getType()).getShape()));
      view = operand.get().getDefiningOp();
    }
  }
  auto change = matchLayoutChange(view);
  if (failed(change))
    return false;
  auto map = createLayoutMap(*change);
  if (isMadeOfParts(change->source, *map)) {
    rewriter.setInsertionPoint(view);
    rewriter.replaceOp(view,
                       applyToParts(rewriter, view->getLoc(), change->source, *map));
    return true;
  }
  return moveLayoutChange(rewriter, view->getOpOperand(0));
}

static bool moveEinsum(RewriterBase &rewriter, EinsumOp op) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (moveLayoutChange(rewriter, operand))
      return true;
    auto map = createEinsumMap(op, operand.getOperandNumber());
    if (!isMadeOfParts(operand.get(), *map))
      continue;
    rewriter.setInsertionPoint(op);
    rewriter.replaceOp(op, applyToParts(rewriter, op.getLoc(), operand.get(), *map));
    return true;
  }
  return false;
}

void sparsam::moveEinsumsIntoLoops(func::FuncOp function) {
  computePlacesFirst(function);
  if (function.walk([](EinsumOp) { return WalkResult::interrupt(); }).wasInterrupted())
    takeScalars(function);
  IRRewriter rewriter(function.getContext());
  bool changed = true;
  while (changed) {
    SmallVector<EinsumOp> einsums;
    function.walk([&](EinsumOp op) { einsums.push_back(op); });
    changed =
        llvm::any_of(einsums, [&](EinsumOp op) { return moveEinsum(rewriter, op); });
  }
  dropUnusedCarried(function);
}
