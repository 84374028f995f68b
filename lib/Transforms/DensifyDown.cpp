// Rule 3: densify moves down through elementwise work that keeps zero, and through
// changes of layout.
#include "OffPattern.h"
#include "Rules.h"
#include "Stacks.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Analysis/Views.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// f(densify a, b) = densify(f(a, restrict b)) where f(0, b) = 0.
struct DensifyElementwise : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op,
                                PatternRewriter &rewriter) const override {
    auto elementwise = matchElementwise(op);
    if (failed(elementwise))
      return rewriter.notifyMatchFailure(op, "not elementwise work");
    std::optional<StoredPattern> pattern;
    for (const ElementwiseOperand &operand : elementwise->operands) {
      auto densify = operand.value.getDefiningOp<DensifyOp>();
      if (densify && operand.access == ElementAccess::Same && !pattern)
        pattern = getPattern(densify);
    }
    if (!pattern)
      return rewriter.notifyMatchFailure(op, "no operand is densified on a pattern");
    OffPatternAnalysis analysis(*pattern);
    if (!analysis.evaluate(op->getResult(0)).isZero())
      return rewriter.notifyMatchFailure(op, "not known to keep zero");
    SmallVector<Value> operands;
    SmallVector<int64_t> shape;
    for (const ElementwiseOperand &operand : elementwise->operands) {
      if (operand.access == ElementAccess::Scalar) {
        operands.push_back(operand.value);
        continue;
      }
      Value source = operand.value;
      if (operand.access == ElementAccess::Permuted) {
        SmallVector<int64_t> permutation(operand.dims.size());
        for (auto [position, dim] : llvm::enumerate(operand.dims))
          permutation[dim] = position;
        source = createTranspose(rewriter, op.getLoc(), source, permutation);
      }
      auto values = getOrCreateRestrict(rewriter, op.getLoc(), source, *pattern);
      shape = llvm::to_vector(values.getValues().getType().getShape());
      operands.push_back(values);
    }
    Value values = cloneElementwise(rewriter, *elementwise, operands, shape);
    rewriter.replaceOp(
        op, createDensify(rewriter, op.getLoc(), values, *pattern, elementwise->type));
    return success();
  }
};

/// The same storage under another view, wherever the reshape or transposing copy has
/// one.
LogicalResult moveThroughLayoutChange(Operation *op, PatternRewriter &rewriter) {
  auto change = matchLayoutChange(op);
  if (failed(change))
    return rewriter.notifyMatchFailure(op, "not a change of layout");
  auto densify = change->source.getDefiningOp<DensifyOp>();
  if (!densify)
    return rewriter.notifyMatchFailure(op, "the source is not densified");
  StructureInterface structure = getViewOfResult(*change, densify.getStructure());
  if (!structure)
    return rewriter.notifyMatchFailure(op, "no view of the result fits");
  SmallVector<Value> storage =
      reshapeStack(rewriter, op->getLoc(), densify.getStorage(),
                   densify.getStructure().getStack().size(),
                   getStackShape(structure, change->getResultType().getShape()));
  rewriter.replaceOpWithNewOp<DensifyOp>(op, getPlainType(change->getResultType()),
                                         storage, structure);
  return success();
}

template <typename ReshapeOp> struct DensifyReshape : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern<ReshapeOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    return moveThroughLayoutChange(op, rewriter);
  }
};

struct DensifyTranspose : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;
  LogicalResult matchAndRewrite(linalg::LinalgOp op,
                                PatternRewriter &rewriter) const override {
    return moveThroughLayoutChange(op, rewriter);
  }
};

} // namespace

void sparsam::populateDensifyDownPatterns(RewritePatternSet &patterns) {
  patterns.add<DensifyElementwise, DensifyReshape<tensor::CollapseShapeOp>,
               DensifyReshape<tensor::ExpandShapeOp>, DensifyTranspose>(
      patterns.getContext());
}
