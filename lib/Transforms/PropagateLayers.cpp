// Rule 10 of the algebra, slices: densify and restrict commute with slices of layers.
#include "Rules.h"
#include "Stacks.h"
#include "sparsam/Analysis/Views.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// extract_slice(densify(v, i))[l] = densify(v[l], i[l]).
struct SliceDensified : OpRewritePattern<tensor::ExtractSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExtractSliceOp op,
                                PatternRewriter &rewriter) const override {
    auto densify = op.getSource().getDefiningOp<DensifyOp>();
    if (!densify)
      return rewriter.notifyMatchFailure(op, "the source is not densified");
    StructureInterface structure = densify.getStructure();
    auto type = op.getSourceType();
    auto layers = matchLayers(op, type.getShape());
    if (!layers)
      return rewriter.notifyMatchFailure(op, "not a run of layers");
    auto stored = getStorageLayers(*layers, structure, type.getRank());
    if (!stored)
      return rewriter.notifyMatchFailure(op, "cuts through a matrix");
    SmallVector<Value> storage;
    for (Value part : densify.getStorage())
      storage.push_back(createLayers(rewriter, op.getLoc(), part, *stored));
    auto sliced = RankedTensorType::get(op.getStaticSizes(), type.getElementType());
    Value dense = DensifyOp::create(rewriter, op.getLoc(), sliced, storage, structure);
    rewriter.replaceOp(
        op, createReshape(rewriter, op.getLoc(), dense, op.getType().getShape()));
    return success();
  }
};

/// restrict(insert_slice(a, b)[l], i) = insert_slice(restrict(a, i[l]), restrict(b,
/// i))[l].
struct RestrictInserted : OpRewritePattern<RestrictOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RestrictOp op, PatternRewriter &rewriter) const override {
    auto insert = op.getSource().getDefiningOp<tensor::InsertSliceOp>();
    if (!insert)
      return rewriter.notifyMatchFailure(op, "the source is no inserted slice");
    StructureInterface structure = op.getStructure();
    auto type = op.getSource().getType();
    auto layers = matchLayers(insert, type.getShape());
    if (!layers)
      return rewriter.notifyMatchFailure(op, "not a run of layers");
    auto stored = getStorageLayers(*layers, structure, type.getRank());
    if (!stored)
      return rewriter.notifyMatchFailure(op, "cuts through a matrix");
    Location loc = op.getLoc();
    StoredPattern whole{structure, llvm::to_vector(op.getPattern())};
    StoredPattern part{structure, {}};
    for (Value indices : whole.indices)
      part.indices.push_back(createLayers(rewriter, loc, indices, *stored));
    Value source =
        createReshape(rewriter, loc, insert.getSource(), insert.getStaticSizes());
    Value values = getOrCreateRestrict(rewriter, loc, source, part);
    Value into = getOrCreateRestrict(rewriter, loc, insert.getDest(), whole);
    rewriter.replaceOp(op, insertLayers(rewriter, loc, values, into, *stored));
    return success();
  }
};

/// A layer between zeros, as the transpose of taking one is, is a layer inserted into
/// them.
struct PaddedLayer : OpRewritePattern<tensor::PadOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::PadOp op,
                                PatternRewriter &rewriter) const override {
    auto type = op.getResultType();
    auto sourceType = op.getSourceType();
    Value number = op.getConstantPaddingValue();
    if (!type.hasStaticShape() || !sourceType.hasStaticShape() || !number ||
        !matchPattern(number, m_AnyZeroFloat()))
      return rewriter.notifyMatchFailure(op, "not zeros around a static tensor");
    Layers layers;
    for (auto [dim, low] : llvm::enumerate(op.getMixedLowPad())) {
      if (type.getDimSize(dim) == sourceType.getDimSize(dim))
        continue;
      if (sourceType.getDimSize(dim) != 1)
        return rewriter.notifyMatchFailure(op, "more than one layer");
      layers.dims.push_back(dim);
      layers.offsets.push_back(low);
      layers.sizes.push_back(1);
    }
    Value zeros =
        arith::ConstantOp::create(rewriter, op.getLoc(), rewriter.getZeroAttr(type));
    rewriter.replaceOp(
        op, insertLayers(rewriter, op.getLoc(), op.getSource(), zeros, layers));
    return success();
  }
};

/// One layer is a matrix.
struct DensifyOneLayer : OpRewritePattern<DensifyOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DensifyOp op, PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    auto dropped = dropUnitStack(op.getStructure(), type.getShape());
    if (!dropped)
      return rewriter.notifyMatchFailure(op, "not stacked, or several layers");
    auto storage = reshapeStack(rewriter, op.getLoc(), op.getStorage(),
                                op.getStructure().getStack().size(), {});
    auto layer = RankedTensorType::get(dropped->shape, type.getElementType());
    Value dense =
        DensifyOp::create(rewriter, op.getLoc(), layer, storage, dropped->structure);
    rewriter.replaceOp(op, createReshape(rewriter, op.getLoc(), dense, type.getShape()));
    return success();
  }
};

struct RestrictOneLayer : OpRewritePattern<RestrictOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RestrictOp op, PatternRewriter &rewriter) const override {
    auto dropped = dropUnitStack(op.getStructure(), op.getSource().getType().getShape());
    if (!dropped)
      return rewriter.notifyMatchFailure(op, "not stacked, or several layers");
    Location loc = op.getLoc();
    StoredPattern pattern{dropped->structure,
                          reshapeStack(rewriter, loc, op.getPattern(),
                                       op.getStructure().getStack().size(), {})};
    Value layer = createReshape(rewriter, loc, op.getSource(), dropped->shape);
    Value values = getOrCreateRestrict(rewriter, loc, layer, pattern);
    rewriter.replaceOp(
        op, createReshape(rewriter, loc, values, op.getValues().getType().getShape()));
    return success();
  }
};

} // namespace

void sparsam::populatePaddedLayerPatterns(RewritePatternSet &patterns) {
  patterns.add<PaddedLayer>(patterns.getContext());
}

void sparsam::populateLayerPatterns(RewritePatternSet &patterns) {
  patterns.add<SliceDensified, RestrictInserted>(patterns.getContext());
  // Before what would loop over a single layer.
  patterns.add<DensifyOneLayer, RestrictOneLayer>(patterns.getContext(), /*benefit=*/3);
}
