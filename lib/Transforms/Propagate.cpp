#include "LoopCarried.h"
#include "PropagateRules.h"
#include "Rules.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "sparsam/Transforms/Algebra.h"
#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_PROPAGATEPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

struct PropagatePass : mlir::sparsam::impl::PropagatePassBase<PropagatePass> {
  using PropagatePassBase::PropagatePassBase;

  void runOnOperation() override {
    FrozenRewritePatternSet rules = makeRules();
    RewritePatternSet padded(&getContext());
    populatePaddedLayerPatterns(padded);
    FrozenRewritePatternSet layerForm(std::move(padded));
    auto functions = llvm::to_vector(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : functions)
      if (!function.isExternal() && failed(propagate(function, layerForm, rules)))
        return signalPassFailure();
  }

private:
  FrozenRewritePatternSet makeRules() {
    RewritePatternSet patterns(&getContext());
    populateStorageElementwisePatterns(patterns);
    populateSpmmPatterns(patterns);
    populateSddmmPatterns(patterns);
    populateViewPatterns(patterns);
    populateWidenPatterns(patterns);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    return std::move(patterns);
  }

  LogicalResult propagate(func::FuncOp function, const FrozenRewritePatternSet &layerForm,
                          const FrozenRewritePatternSet &rules) {
    // The gradients' marks have told what they had to.
    function.walk([](GradientOp op) {
      op.replaceAllUsesWith(op.getValue());
      op.erase();
    });
    if (!isCompanion(function)) {
      numGroups += sliceGroups(function);
      dropUnusedCarried(function);
      eraseUnused(function);
    }
    numConvolutions += unfoldConvolutions(function);
    SmallVector<Operation *> pads;
    function.walk([&](tensor::PadOp op) { pads.push_back(op); });
    if (failed(applyOpPatternsGreedily(
            pads, layerForm,
            GreedyRewriteConfig().setStrictness(GreedyRewriteStrictness::ExistingOps))))
      return function.emitError("layers between zeros did not come to an end");
    hoistStackedLayers(function);
    dropUnusedCarried(function);
    FailureOr<int64_t> chains = reassociateFactors(function);
    if (failed(chains))
      return failure();
    numChains += *chains;
    // Equal slices of indices are the same pattern once they are one value, and what
    // loops no longer need to carry is in the way of the rules until it is dropped.
    for (unsigned round = 0; round < 2; ++round) {
      GreedyRewriteConfig config;
      config.setMaxIterations(100);
      if (failed(applyPatternsGreedily(function, rules, config)))
        return function.emitError("the rules of the algebra did not come to an end");
      dropUnusedCarried(function);
      IRRewriter rewriter(&getContext());
      DominanceInfo dominance(function);
      eliminateCommonSubExpressions(rewriter, dominance, function);
    }
    function.walk([&](SpmmOp) { ++numSpmm; });
    function.walk([&](SddmmOp) { ++numSddmm; });
    numLeftovers += reportLeftovers(function);
    return success();
  }
};

} // namespace
