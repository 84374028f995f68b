// Convolutions as products of which each element lands at one place of the result.
//
// Backward to the input, a convolution with the filter W is dx = fold(dy * W^T): the
// product contracts the outputs of W as a whole, which is what structures have rules
// for, and computes nothing on the zeros between the elements of a dilated dy.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Transforms/BuildConvolution.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

using Place = Convolution::Place;
using Step = Convolution::Step;

namespace {

/// A dimension of the product that is folded.
struct Dim {
  Group letters;
  /// Of the result's loops, or summed while folding.
  enum Kind { Kept, Position, Inside } kind = Kept;
  /// For positions, the dimension of the source.
  unsigned source = 0;
};

class Folding {
public:
  Folding(OpBuilder &builder, Location loc, Convolution convolution)
      : builder(builder), loc(loc), convolution(std::move(convolution)),
        product(this->convolution.product) {}

  FailureOr<Value> build();

private:
  LogicalResult plan();
  LogicalResult planPlace(unsigned dim);
  Value embed(Value value);
  Value fold(Value value);

  OpBuilder &builder;
  Location loc;
  Convolution convolution;
  /// Of the source without its zeros, and the filter.
  Product product;
  Embedding embedding;
  Term source;
  SmallVector<Dim> dims;
  /// The slot of each source dimension that is a position of the result.
  SmallVector<std::optional<Step>> positions;
};

} // namespace

static bool containsAny(ArrayRef<Letter> set, ArrayRef<Letter> letters) {
  return llvm::any_of(letters, [&](Letter l) { return llvm::is_contained(set, l); });
}

static Value buildZeros(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                        Type element) {
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
  Value empty = buildEmpty(builder, loc, shape, element);
  return linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
}

LogicalResult Folding::planPlace(unsigned dim) {
  const Place &place = convolution.places[dim];
  int64_t size = cast<RankedTensorType>(embedding.source.getType()).getDimSize(dim);
  positions.emplace_back();
  if (convolution.isWhole(dim) && size == convolution.getSourceSize(dim)) {
    Group letters =
        place.steps.empty() ? Group{} : convolution.getSlot(place.steps[0].slot);
    source.dims.push_back(letters);
    if (!place.steps.empty() && !convolution.isSummed(place.steps[0].slot))
      dims.push_back({letters, Dim::Kept});
    return success();
  }
  for (const Step &step : place.steps) {
    bool isInside = convolution.isInFilter(step.slot);
    if (isInside != convolution.isSummed(step.slot) || (!isInside && positions.back()))
      return failure();
    if (!isInside)
      positions.back() = step;
  }
  Group letters = product.addDimension(size);
  source.dims.push_back(letters);
  dims.push_back({letters, Dim::Position, dim});
  return success();
}

LogicalResult Folding::plan() {
  Value value = convolution.getSource();
  int64_t rank = convolution.places.size();
  FailureOr<Embedding> found = matchEmbedding(value.getDefiningOp());
  embedding = succeeded(found) ? *found
                               : Embedding{value, SmallVector<int64_t>(rank, 0),
                                           SmallVector<int64_t>(rank, 1)};
  source.value = embedding.source;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (failed(planPlace(dim)))
      return failure();
  // What only the filter has: all of a slot, or a letter of the result.
  const Term &filter = product.terms[Convolution::filter];
  SmallVector<Letter> own = flatten(source.dims), kept = flatten(product.result);
  for (const Place &place : convolution.places)
    for (const Step &step : place.steps)
      if (!containsAny(own, convolution.getSlot(step.slot)) &&
          convolution.isInFilter(step.slot)) {
        dims.push_back({convolution.getSlot(step.slot), Dim::Inside});
        llvm::append_range(own, convolution.getSlot(step.slot));
      }
  for (Letter letter : flatten(filter.dims))
    if (!llvm::is_contained(own, letter) && llvm::is_contained(kept, letter))
      dims.push_back({Group{letter}, Dim::Kept});
  return success();
}

/// Puts the product where its factor, the source, was in zeros.
Value Folding::embed(Value value) {
  SmallVector<OpFoldResult> offsets, sizes, strides;
  SmallVector<int64_t> shape;
  bool isWhole = true;
  for (const Dim &dim : dims) {
    int64_t size = product.getSize(dim.letters), whole = size, offset = 0, stride = 1;
    if (dim.kind == Dim::Position) {
      whole = convolution.getSourceSize(dim.source);
      offset = embedding.offsets[dim.source];
      stride = embedding.strides[dim.source];
    }
    isWhole &= whole == size;
    shape.push_back(whole);
    offsets.push_back(builder.getIndexAttr(offset));
    sizes.push_back(builder.getIndexAttr(size));
    strides.push_back(builder.getIndexAttr(stride));
  }
  if (isWhole)
    return value;
  Type element = cast<RankedTensorType>(value.getType()).getElementType();
  return tensor::InsertSliceOp::create(builder, loc, value,
                                       buildZeros(builder, loc, shape, element), offsets,
                                       sizes, strides);
}

/// result[i, ...] = the sum over k of value[s * i + t * k, k, ...].
Value Folding::fold(Value value) {
  MLIRContext *context = builder.getContext();
  Grouping target;
  SmallVector<AffineExpr> exprs(dims.size());
  SmallVector<std::optional<unsigned>> loopOf(convolution.getNumSlots());
  unsigned loops = 0;
  for (auto [number, dim] : llvm::enumerate(dims)) {
    if (dim.kind == Dim::Kept) {
      exprs[number] = getAffineDimExpr(loops++, context);
      target.push_back(dim.letters);
    } else if (dim.kind == Dim::Position && positions[dim.source]) {
      unsigned slot = positions[dim.source]->slot;
      loopOf[slot] = loops++;
      target.push_back(convolution.getSlot(slot));
    }
  }
  unsigned numKept = loops;
  SmallVector<unsigned> inside;
  for (auto [number, dim] : llvm::enumerate(dims))
    if (dim.kind == Dim::Inside)
      for (unsigned slot = 0; slot < convolution.getNumSlots(); ++slot)
        if (convolution.getSlot(slot) == dim.letters) {
          exprs[number] = getAffineDimExpr(loops, context);
          loopOf[slot] = loops++;
        }
  for (auto [number, dim] : llvm::enumerate(dims)) {
    if (dim.kind != Dim::Position)
      continue;
    const Place &place = convolution.places[dim.source];
    exprs[number] = getAffineConstantExpr(place.offset, context);
    for (const Step &step : place.steps)
      exprs[number] =
          exprs[number] + getAffineDimExpr(*loopOf[step.slot], context) * step.stride;
  }
  Type element = cast<RankedTensorType>(value.getType()).getElementType();
  AffineMap read = AffineMap::get(loops, 0, exprs, context);
  SmallVector<int64_t> shape = product.getShape(target);
  // A loop that is an index by itself has the size of the dimension.
  SmallVector<int64_t> sizes(cast<RankedTensorType>(value.getType()).getShape());
  for (auto [size, expr] : llvm::zip_equal(sizes, read.getResults()))
    if (auto loop = dyn_cast<AffineDimExpr>(expr); loop && loop.getPosition() < numKept)
      size = shape[loop.getPosition()];
  value = buildCrop(builder, loc, value, sizes);
  if (read.isIdentity())
    return buildView(builder, loc, convolution.product, {value, target},
                     convolution.product.result);
  Value init = buildZeros(builder, loc, shape, element);
  SmallVector<AffineMap> maps{
      read, AffineMap::getMultiDimIdentityMap(loops, context).getMajorSubMap(numKept)};
  SmallVector<utils::IteratorType> iterators(loops, utils::IteratorType::parallel);
  std::fill(iterators.begin() + numKept, iterators.end(), utils::IteratorType::reduction);
  Value folded = linalg::GenericOp::create(
                     builder, loc, init.getType(), value, init, maps, iterators,
                     [](OpBuilder &nested, Location at, ValueRange arguments) {
                       Value sum =
                           arith::AddFOp::create(nested, at, arguments[1], arguments[0]);
                       linalg::YieldOp::create(nested, at, sum);
                     })
                     .getResult(0);
  return buildView(builder, loc, convolution.product, {folded, target},
                   convolution.product.result);
}

FailureOr<Value> Folding::build() {
  if (failed(plan()))
    return failure();
  Value init = std::exchange(product.init, {});
  product.terms[Convolution::windows] = source;
  product.result =
      llvm::map_to_vector<4>(dims, [](const Dim &dim) { return dim.letters; });
  for (Value scalar : std::exchange(product.scalars, {})) {
    auto type = RankedTensorType::get({}, scalar.getType());
    product.terms.push_back(
        {tensor::FromElementsOp::create(builder, loc, type, scalar), {}});
  }
  product.absorbViews();
  FailureOr<ContractionPath> path = findContractionPath(product);
  if (failed(path))
    return failure();
  Value value = buildContractions(builder, loc, product, *path);
  Value folded = fold(embed(value));
  return init ? buildAdd(builder, loc, init, folded) : folded;
}

FailureOr<Value> sparsam::buildFolded(OpBuilder &builder, Location loc,
                                      Convolution convolution) {
  return Folding(builder, loc, std::move(convolution)).build();
}
