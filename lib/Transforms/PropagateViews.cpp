// Chains of transposes and reshapes in their shortest form.
#include "PropagateRules.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Before: expand_shape, transpose, transpose back, collapse_shape around a value.
/// After: the value. What stays is at most one transpose between reshapes.
struct ShortenViews : RewritePattern {
  explicit ShortenViews(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isView(op) || op->use_empty())
      return failure();
    Product product = Product::identity(op->getResult(0));
    product.absorbViews(0);
    ViewCost before;
    bool dies = true;
    for (Value value = op->getResult(0); value != product.terms[0].value;) {
      Operation *view = value.getDefiningOp();
      dies &= view == op || value.hasOneUse();
      ++(isTransposition(view) ? before.transposes : before.reshapes);
      value = view->getOperand(0);
    }
    ViewCost after = getViewCost(product, product.terms[0], product.result);
    if (std::pair(after.transposes, after.reshapes) >=
        std::pair(before.transposes, before.reshapes))
      return failure();
    // A transposed tensor that something else reads too stays, and so does what
    // transposes it further: a matrix product reads that in place.
    if (!dies && after.transposes)
      return failure();
    Value shorter =
        buildView(rewriter, op->getLoc(), product, product.terms[0], product.result);
    rewriter.replaceOp(op, shorter);
    return success();
  }
};

} // namespace

void sparsam::populateViewPatterns(RewritePatternSet &patterns) {
  patterns.add<ShortenViews>(patterns.getContext());
}
