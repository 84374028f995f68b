// Rule 10 of the algebra, loops: what is done to a gradient that loops over layers, or
// over parts of a batch, make is done to the parts.
//
// restrict(for (acc = 0) { acc = insert_slice(g, acc)[l] }, i) becomes
// for (acc = 0) { acc = insert_slice(restrict(g, i[l]), acc)[l] }, and likewise for sums
// and for the einsums that make the gradients of factors.
#include "LoopCarried.h"
#include "PropagateRules.h"
#include "Rules.h"

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

/// Moves a change of layout in front of `op`'s operand into what makes its source.
static bool moveLayoutChange(RewriterBase &rewriter, OpOperand &operand) {
  Operation *view = operand.get().getDefiningOp();
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
