// Loops take over the dimensions that reshapes split.
#include "Contraction.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "sparsam/Conversion/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_FOLDRESHAPESPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

struct FoldReshapesPass : sparsam::impl::FoldReshapesPassBase<FoldReshapesPass> {
  using FoldReshapesPassBase::FoldReshapesPassBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    IRRewriter rewriter(context);
    int64_t operations = 0;
    SmallVector<linalg::LinalgOp> named;
    getOperation()->walk([&](Operation *op) {
      ++operations;
      auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
      if (linalgOp && linalgOp.hasPureTensorSemantics() &&
          !isa<linalg::GenericOp, linalg::FillOp>(op))
        named.push_back(linalgOp);
    });
    for (linalg::LinalgOp op : named) {
      rewriter.setInsertionPoint(op);
      // A named op without a payload to spell out stays as it is.
      if (succeeded(linalg::generalizeNamedOp(rewriter, op)))
        ++numGeneralized;
    }

    RewritePatternSet patterns(context);
    linalg::populateFoldReshapeOpsByExpansionPatterns(patterns,
                                                      [](OpOperand *) { return true; });
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    linalg::FillOp::getCanonicalizationPatterns(patterns, context);
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    // Two reshapes with unit dimensions can chase each other through an op; where unit
    // dimensions are gone this bound is never met.
    GreedyRewriteConfig config;
    config.setMaxNumRewrites(32 * operations);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      getOperation()->emitRemark("folding reshapes stopped early; fold unit dimensions "
                                 "first (linalg-fold-unit-extent-dims)");
  }
};

} // namespace
