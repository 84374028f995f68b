// Dense convolutions become matrix products.
#include "sparsam/Conversion/Passes.h"
#include "sparsam/Transforms/BuildConvolution.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_UNFOLDCONVOLUTIONSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

/// Whether the input lies in zeros with zeros between its elements.
static bool isDilated(const Convolution &convolution) {
  FailureOr<Embedding> embedding =
      matchEmbedding(convolution.getSource().getDefiningOp());
  return succeeded(embedding) &&
         llvm::any_of(embedding->strides, [](int64_t stride) { return stride != 1; });
}

static bool isStatic(linalg::LinalgOp op) {
  return llvm::none_of(op.getStaticLoopRanges(), ShapedType::isDynamic);
}

/// Whether a window of the input is reduced without a filter.
static bool isPooling(linalg::LinalgOp op) {
  OpOperand *window = op.getDpsInputOperand(op.getNumDpsInputs() - 1);
  return !op.payloadUsesValueFromOperand(window);
}

namespace {

struct UnfoldConvolutionsPass
    : sparsam::impl::UnfoldConvolutionsPassBase<UnfoldConvolutionsPass> {
  using UnfoldConvolutionsPassBase::UnfoldConvolutionsPassBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::LinalgOp> candidates;
    getOperation().walk([&](linalg::LinalgOp op) { candidates.push_back(op); });
    for (linalg::LinalgOp op : candidates) {
      FailureOr<Convolution> convolution = Convolution::of(op);
      if (succeeded(convolution))
        unfold(rewriter, op, std::move(*convolution));
      else if (linalg::isaConvolutionOpInterface(op) && !isPooling(op))
        leave(op, isStatic(op) ? "its elements are of several types, or integers"
                               : "its sizes are not known");
    }
    RewritePatternSet patterns(&getContext());
    linalg::populateDecomposePadPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }

private:
  void leave(linalg::LinalgOp op, const char *why) {
    op.emitRemark("this convolution is left to loops: ") << why;
    ++numLeft;
  }

  void unfold(IRRewriter &rewriter, linalg::LinalgOp op, Convolution convolution) {
    if (!convolution.isMatrixProduct())
      return leave(op, "it is no matrix product, as it has no rows, no columns or no "
                       "sums");
    rewriter.setInsertionPoint(op);
    convolution.absorbFilter();
    FailureOr<Value> value = failure();
    if (isDilated(convolution)) {
      value = buildFolded(rewriter, op.getLoc(), convolution);
      numFolded += succeeded(value);
    }
    if (failed(value)) {
      value = buildUnfolded(rewriter, op.getLoc(), convolution);
      numUnfolded += succeeded(value);
    }
    if (succeeded(value))
      rewriter.replaceOp(op, *value);
  }
};

} // namespace
