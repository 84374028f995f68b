// Rule 10 of the algebra for factor structures, slices: a layer of a stacked parameter is
// the sum of einsums of a layer of each factor.
#include "Definitions.h"
#include "LinearMaps.h"
#include "PropagateRules.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

class DefinitionSlicer {
public:
  DefinitionSlicer(RewriterBase &rewriter, DenseSet<Operation *> &definitions,
                   function_ref<bool(Operation *)> isDefinition)
      : rewriter(rewriter), definitions(definitions), isDefinition(isDefinition) {}

  bool reachesDefinition(Value value) {
    return sparsam::reachesDefinition(value, isDefinition);
  }

  /// `layers` of `value`, by those of the factors; fails where they cut through a matrix.
  FailureOr<Value> slice(Value value, const Layers &layers) {
    Location loc = value.getLoc();
    Operation *op = value.getDefiningOp();
    if (!op || !reachesDefinition(value))
      return createLayers(rewriter, loc, value, layers);
    if (auto einsum = dyn_cast<EinsumOp>(op))
      return sliceEinsum(einsum, layers);
    if (auto change = matchLayoutChange(op); succeeded(change))
      return sliceLayoutChange(*change, layers);
    auto elementwise = matchElementwise(op);
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> shape(type.getShape());
    for (auto [dim, size] : llvm::zip_equal(layers.dims, layers.sizes))
      shape[dim] = size;
    return cloneOnParts(rewriter, *elementwise, shape,
                        [&](Value operand) { return slice(operand, layers); });
  }

private:
  FailureOr<Value> sliceEinsum(EinsumOp op, const Layers &layers) {
    SmallVector<StringRef> terms = op.getTerms();
    SmallVector<Value> inputs(op.getInputs());
    SmallVector<int64_t> shape(op.getType().getShape());
    for (auto [dim, offset, size] :
         llvm::zip_equal(layers.dims, layers.offsets, layers.sizes)) {
      shape[dim] = size;
      for (auto [input, term] : llvm::zip(inputs, terms))
        if (size_t place = term.find(terms.back()[dim]); place != StringRef::npos)
          input = createLayers(rewriter, op.getLoc(), input,
                               {{static_cast<int64_t>(place)}, {offset}, {size}});
    }
    auto sliced = EinsumOp::create(rewriter, op.getLoc(), op.getType().clone(shape),
                                   inputs, op.getSubscripts());
    if (definitions.contains(op))
      definitions.insert(sliced);
    return sliced.getResult();
  }

  FailureOr<Value> sliceLayoutChange(const LayoutChange &change, const Layers &layers) {
    SmallVector<int64_t> alone = getDimensionsAlone(change);
    SmallVector<int64_t> source(change.getResultType().getRank(), -1);
    for (auto [from, to] : llvm::enumerate(alone))
      if (to >= 0)
        source[to] = from;
    if (llvm::any_of(layers.dims, [&](int64_t dim) { return source[dim] < 0; }))
      return failure();
    Layers moved = layers.mapDims(source);
    auto sliced = slice(change.source, moved);
    if (failed(sliced))
      return failure();
    auto layer = createLayoutMap(change)->at(moved);
    return layer.map->apply(rewriter, change.result.getLoc(), *sliced);
  }

  RewriterBase &rewriter;
  DenseSet<Operation *> &definitions;
  function_ref<bool(Operation *)> isDefinition;
};

} // namespace

void sparsam::sliceDefinitions(func::FuncOp function, DenseSet<Operation *> &definitions,
                               function_ref<bool(Operation *)> isDefinition) {
  IRRewriter rewriter(function.getContext());
  DefinitionSlicer slicer(rewriter, definitions, isDefinition);
  SmallVector<tensor::ExtractSliceOp> slices;
  function.walk([&](tensor::ExtractSliceOp op) { slices.push_back(op); });
  for (tensor::ExtractSliceOp op : slices) {
    auto layers = matchLayers(op, op.getSourceType().getShape());
    if (!layers || layers->isWhole() || !slicer.reachesDefinition(op.getSource()))
      continue;
    rewriter.setInsertionPoint(op);
    FailureOr<Value> sliced = slicer.slice(op.getSource(), *layers);
    if (succeeded(sliced))
      rewriter.replaceOp(
          op, createReshape(rewriter, op.getLoc(), *sliced, op.getType().getShape()));
  }
}
