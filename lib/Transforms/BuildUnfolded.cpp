#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Transforms/BuildConvolution.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

using Place = Convolution::Place;
using Step = Convolution::Step;

Value sparsam::buildCrop(OpBuilder &builder, Location loc, Value value,
                         ArrayRef<int64_t> shape) {
  if (cast<RankedTensorType>(value.getType()).getShape() == shape)
    return value;
  SmallVector<OpFoldResult> zeros(shape.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> ones(shape.size(), builder.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      builder, loc, value, zeros, getAsIndexOpFoldResult(builder.getContext(), shape),
      ones);
}

static Type getElement(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

/// The product from zero, and what it starts from added behind it.
static FailureOr<Value> buildProduct(OpBuilder &builder, Location loc, Product product) {
  Value init = std::exchange(product.init, {});
  for (Value scalar : std::exchange(product.scalars, {})) {
    auto type = RankedTensorType::get({}, scalar.getType());
    product.terms.push_back(
        {tensor::FromElementsOp::create(builder, loc, type, scalar), {}});
  }
  product.renumber();
  FailureOr<ContractionPath> path = findContractionPath(product);
  if (failed(path))
    return failure();
  Value result = buildContractions(builder, loc, product, *path);
  return init ? buildAdd(builder, loc, init, result) : result;
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

static FailureOr<SmallVector<int64_t>> matchPermutation(Operation *op) {
  if (!op)
    return failure();
  FailureOr<SmallVector<int64_t>> dims = matchCopy(op);
  if (failed(dims) || llvm::is_contained(*dims, -1))
    return failure();
  return dims;
}

/// Padding of what is transposed is the same as transposing what is padded, which
/// forward and backward have in common.
static Value padBeforeTransposing(OpBuilder &builder, tensor::PadOp pad,
                                  ArrayRef<int64_t> dims) {
  SmallVector<OpFoldResult> low(dims.size()), high(dims.size());
  SmallVector<int64_t> shape(dims.size());
  for (auto [target, source] : llvm::enumerate(dims)) {
    low[source] = pad.getMixedLowPad()[target];
    high[source] = pad.getMixedHighPad()[target];
    shape[source] = pad.getResultType().getDimSize(target);
  }
  Value source = pad.getSource().getDefiningOp()->getOperand(0);
  return tensor::PadOp::create(builder, pad.getLoc(), pad.getResultType().clone(shape),
                               source, low, high, pad.getConstantPaddingValue());
}

/// Reads the source before it was transposed.
static void absorbTransposes(OpBuilder &builder, Convolution &convolution) {
  Value &source = convolution.product.terms[Convolution::windows].value;
  while (true) {
    auto pad = source.getDefiningOp<tensor::PadOp>();
    bool isConstant = pad && succeeded(matchEmbedding(pad));
    FailureOr<SmallVector<int64_t>> dims = matchPermutation(
        isConstant ? pad.getSource().getDefiningOp() : source.getDefiningOp());
    if (failed(dims))
      return;
    source = isConstant ? padBeforeTransposing(builder, pad, *dims)
                        : source.getDefiningOp()->getOperand(0);
    SmallVector<Place> places(dims->size());
    for (auto [target, from] : llvm::enumerate(*dims))
      places[from] = convolution.places[target];
    convolution.places = std::move(places);
  }
}

/// Whether positions, as opposed to what is inside a window, are summed: forward they
/// are kept, backward to the filter they are summed.
static bool sumsPositions(const Convolution &convolution) {
  auto size = [&](const Step &step) {
    return std::pair(convolution.getExtent(step.slot), std::abs(step.stride));
  };
  for (const Place &place : convolution.places)
    if (place.steps.size() > 1)
      return convolution.isSummed(
          llvm::max_element(place.steps, [&](const Step &a, const Step &b) {
            return size(a) < size(b);
          })->slot);
  for (const Place &place : convolution.places)
    for (const Step &step : place.steps)
      if (step.stride != 1)
        return convolution.isSummed(step.slot);
  return false;
}

/// Positions, then what is inside a window, each in the order of the source: forward
/// and backward find the same windows.
static SmallVector<unsigned> orderSlots(const Convolution &convolution) {
  SmallVector<unsigned> positions, inside;
  bool summed = sumsPositions(convolution);
  for (const Place &place : convolution.places)
    for (const Step &step : place.steps)
      (convolution.isSummed(step.slot) == summed ? positions : inside)
          .push_back(step.slot);
  llvm::append_range(positions, inside);
  return positions;
}

static Value buildCopy(OpBuilder &builder, Location loc, Value source, AffineMap map,
                       ArrayRef<int64_t> shape) {
  Value init = buildEmpty(builder, loc, shape, getElement(source));
  SmallVector<utils::IteratorType> iterators(shape.size(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, init.getType(), source, init,
             ArrayRef<AffineMap>{map, builder.getMultiDimIdentityMap(shape.size())},
             iterators,
             [](OpBuilder &nested, Location at, ValueRange arguments) {
               linalg::YieldOp::create(nested, at, arguments[0]);
             })
      .getResult(0);
}

/// The index of each of the source's dimensions, where slot s is loop `loopOf[s]`.
static AffineExpr getIndex(const Place &place, ArrayRef<unsigned> loopOf,
                           MLIRContext *context) {
  // In the order of the loops, so that equal windows are equal maps.
  SmallVector<int64_t> strides(loopOf.size());
  for (const Step &step : place.steps)
    strides[loopOf[step.slot]] = step.stride;
  AffineExpr expr = getAffineConstantExpr(place.offset, context);
  for (auto [loop, stride] : llvm::enumerate(strides))
    expr = expr + getAffineDimExpr(loop, context) * stride;
  return expr;
}

/// A map that reads the first elements of a dimension by one loop would give the loop the
/// dimension's size.
static void cropSource(OpBuilder &builder, Location loc, Convolution &convolution) {
  Value &source = convolution.product.terms[Convolution::windows].value;
  SmallVector<int64_t> sizes;
  for (auto [dim, place] : llvm::enumerate(convolution.places)) {
    bool isOneLoop =
        place.steps.size() == 1 && place.steps[0].stride == 1 && place.offset == 0;
    sizes.push_back(isOneLoop ? convolution.getExtent(place.steps[0].slot)
                              : convolution.getSourceSize(dim));
  }
  source = buildCrop(builder, loc, source, sizes);
}

static Term buildWindows(OpBuilder &builder, Location loc,
                         const Convolution &convolution) {
  Term term{convolution.getSource(), {}};
  unsigned rank = convolution.places.size();
  if (llvm::all_of(llvm::seq<unsigned>(0, rank),
                   [&](unsigned dim) { return convolution.isWhole(dim); })) {
    for (const Place &place : convolution.places)
      term.dims.push_back(place.steps.empty() ? Group{}
                                              : convolution.getSlot(place.steps[0].slot));
    return term;
  }
  SmallVector<unsigned> loopOf(convolution.getNumSlots());
  for (auto [loop, slot] : llvm::enumerate(orderSlots(convolution))) {
    loopOf[slot] = loop;
    term.dims.push_back(convolution.getSlot(slot));
  }
  SmallVector<AffineExpr> exprs;
  for (const Place &place : convolution.places)
    exprs.push_back(getIndex(place, loopOf, builder.getContext()));
  term.value = buildCopy(builder, loc, term.value,
                         AffineMap::get(loopOf.size(), 0, exprs, builder.getContext()),
                         convolution.product.getShape(term.dims));
  return term;
}

FailureOr<Value> sparsam::buildUnfolded(OpBuilder &builder, Location loc,
                                        Convolution convolution) {
  absorbTransposes(builder, convolution);
  cropSource(builder, loc, convolution);
  Product product = convolution.product;
  product.terms[Convolution::windows] = buildWindows(builder, loc, convolution);
  product.absorbViews();
  return buildProduct(builder, loc, std::move(product));
}
