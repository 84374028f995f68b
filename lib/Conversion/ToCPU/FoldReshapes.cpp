// Loops take over the dimensions that reshapes split.
#include "TensorOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "sparsam/Conversion/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_FOLDRESHAPESPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Whether a reshape splits dimensions, or merges them, and adds or drops no unit
/// dimension: two that do may chase each other through an op for ever, for a unit
/// dimension belongs to either of its neighbours.
bool splitsWithoutUnits(Operation *reshape) {
  auto splits = [](RankedTensorType expanded, ArrayRef<ReassociationIndices> groups) {
    return llvm::all_of(groups, [&](const ReassociationIndices &group) {
      return group.size() == 1 || llvm::none_of(group, [&](int64_t dim) {
               return expanded.getDimSize(dim) == 1;
             });
    });
  };
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(reshape))
    return splits(expand.getResultType(), expand.getReassociationIndices());
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(reshape))
    return splits(collapse.getSrcType(), collapse.getReassociationIndices());
  return false;
}

/// Inserts a slice in the dimensions it was made in, and flattens the whole: what makes
/// the slice can then write it in place.
///
///   insert_slice (collapse_shape x) into y -> collapse_shape (insert_slice x into
///                                                              expand_shape y)
struct ExpandInsertSlice : OpRewritePattern<tensor::InsertSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::InsertSliceOp insert,
                                PatternRewriter &rewriter) const override {
    auto collapse = insert.getSource().getDefiningOp<tensor::CollapseShapeOp>();
    if (!collapse || !collapse->hasOneUse())
      return rewriter.notifyMatchFailure(insert, "the slice is not a flattened value");
    RankedTensorType whole = insert.getDestType();
    ArrayRef<int64_t> offsets = insert.getStaticOffsets();
    RankedTensorType slice = collapse.getSrcType();
    if (insert.getSourceType().getRank() != whole.getRank() || !whole.hasStaticShape() ||
        !slice.hasStaticShape() || ShapedType::isDynamicShape(offsets) ||
        !insert.hasUnitStride())
      return rewriter.notifyMatchFailure(insert, "the slice is not static");

    SmallVector<int64_t> shape, newOffsets;
    SmallVector<ReassociationIndices> groups = collapse.getReassociationIndices();
    for (auto [dim, group] : llvm::enumerate(groups)) {
      // Whole rows of the inner dimensions, wherever they start.
      int64_t row = 1;
      for (int64_t inner : llvm::drop_begin(group)) {
        if (slice.getDimSize(inner) == 1)
          return rewriter.notifyMatchFailure(insert, "the slice drops unit dimensions");
        row *= slice.getDimSize(inner);
      }
      if (group.size() > 1 && whole.getDimSize(dim) == row)
        return rewriter.notifyMatchFailure(insert,
                                           "the whole would get a unit dimension");
      if (whole.getDimSize(dim) % row != 0 || offsets[dim] % row != 0)
        return rewriter.notifyMatchFailure(insert, "the slice cuts a row");
      shape.push_back(whole.getDimSize(dim) / row);
      newOffsets.push_back(offsets[dim] / row);
      for (int64_t inner : llvm::drop_begin(group)) {
        shape.push_back(slice.getDimSize(inner));
        newOffsets.push_back(0);
      }
    }
    Location loc = insert.getLoc();
    Value expanded = tensor::ExpandShapeOp::create(rewriter, loc, whole.clone(shape),
                                                   insert.getDest(), groups);
    SmallVector<OpFoldResult> start = getAsIndexOpFoldResult(getContext(), newOffsets);
    SmallVector<OpFoldResult> sizes =
        getAsIndexOpFoldResult(getContext(), slice.getShape());
    SmallVector<OpFoldResult> strides(shape.size(), rewriter.getIndexAttr(1));
    Value inserted = tensor::InsertSliceOp::create(rewriter, loc, collapse.getSrc(),
                                                   expanded, start, sizes, strides);
    rewriter.replaceOpWithNewOp<tensor::CollapseShapeOp>(insert, whole, inserted, groups);
    return success();
  }
};

struct FoldReshapesPass : sparsam::impl::FoldReshapesPassBase<FoldReshapesPass> {
  using FoldReshapesPassBase::FoldReshapesPassBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    IRRewriter rewriter(context);
    int64_t operations = 0;
    SmallVector<linalg::LinalgOp> named;
    bool isLate = false;
    getOperation()->walk([&](Operation *op) {
      ++operations;
      // The ops that replace it would add to their destination.
      if (!isLate && op->hasAttr(cpu::kOverwriteAttr)) {
        op->emitOpError() << "has " << cpu::kOverwriteAttr
                          << "; expected sparsam-fold-reshapes in front of "
                             "sparsam-set-destinations";
        isLate = true;
      }
      auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
      if (linalgOp && linalgOp.hasPureTensorSemantics() &&
          !isa<linalg::GenericOp, linalg::FillOp>(op))
        named.push_back(linalgOp);
    });
    if (isLate)
      return signalPassFailure();
    for (linalg::LinalgOp op : named) {
      rewriter.setInsertionPoint(op);
      // A named op without a payload to spell out stays as it is.
      if (succeeded(linalg::generalizeNamedOp(rewriter, op)))
        ++numGeneralized;
    }

    RewritePatternSet patterns(context);
    linalg::populateFoldReshapeOpsByExpansionPatterns(patterns, [](OpOperand *operand) {
      Operation *producer = operand->get().getDefiningOp();
      return splitsWithoutUnits(cpu::isReshape(producer) ? producer
                                                         : operand->getOwner());
    });
    patterns.add<ExpandInsertSlice>(context);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    linalg::FillOp::getCanonicalizationPatterns(patterns, context);
    tensor::populateFoldTensorEmptyPatterns(patterns);
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    GreedyRewriteConfig config;
    config.setMaxNumRewrites(32 * operations);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      getOperation()->emitRemark("folding reshapes stopped early");
  }
};

} // namespace
