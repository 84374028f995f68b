// The pattern of nm and what lies on it, as plain IR on tensors.
#include "sparsam/Structure/NM/NM.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

constexpr auto parallel = utils::IteratorType::parallel;
constexpr auto reduction = utils::IteratorType::reduction;

Value createZeros(ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape, Type element) {
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
  Value empty = tensor::EmptyOp::create(b, shape, element);
  return linalg::FillOp::create(b, zero, empty).getResult(0);
}

AffineMap dims(ImplicitLocOpBuilder &b, unsigned rank, ArrayRef<unsigned> positions) {
  return AffineMap::getMultiDimMapWithTargets(rank, positions, b.getContext());
}

using Body = function_ref<Value(ImplicitLocOpBuilder &, ValueRange)>;

/// One linalg.generic of one result whose body is a single expression.
Value createGeneric(ImplicitLocOpBuilder &b, ValueRange inputs, Value init,
                    ArrayRef<AffineMap> maps, ArrayRef<utils::IteratorType> iterators,
                    Body body) {
  return linalg::GenericOp::create(
             b, init.getType(), inputs, init, maps, iterators,
             [&](OpBuilder &builder, Location loc, ValueRange arguments) {
               ImplicitLocOpBuilder inner(loc, builder);
               linalg::YieldOp::create(inner, body(inner, arguments));
             })
      .getResult(0);
}

/// Sum of |w| over the V outputs of each block: K x N to N/V x K.
Value createGroupScores(ImplicitLocOpBuilder &b, Value scores, int64_t vector) {
  auto type = cast<RankedTensorType>(scores.getType());
  int64_t inputs = type.getDimSize(0), blocks = type.getDimSize(1) / vector;
  auto split = RankedTensorType::get({inputs, blocks, vector}, type.getElementType());
  SmallVector<ReassociationIndices> groups{{0}, {1, 2}};
  Value blocked = tensor::ExpandShapeOp::create(b, split, scores, groups);
  Value zeros = createZeros(b, {blocks, inputs}, type.getElementType());
  return createGeneric(b, blocked, zeros, {dims(b, 3, {1, 0, 2}), dims(b, 3, {0, 1})},
                       {parallel, parallel, reduction},
                       [](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                         Value magnitude = math::AbsFOp::create(b, in[0]);
                         return arith::AddFOp::create(b, in[1], magnitude);
                       });
}

/// In each group, how many members come before each member in the order of
/// selection: those of a larger score, and of the same score but a lower index.
/// Counting needs no data-dependent control flow, and ties come out right. A NaN
/// comes before nothing and nothing before it, so that more than N members may
/// then count fewer than N; the slots stay in range.
Value createRanks(ImplicitLocOpBuilder &b, Value grouped) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(grouped.getType()).getShape();
  Value zeros = createZeros(b, shape, b.getI32Type());
  return createGeneric(
      b, {grouped, grouped}, zeros,
      {dims(b, 4, {0, 1, 2}), dims(b, 4, {0, 1, 3}), dims(b, 4, {0, 1, 2})},
      {parallel, parallel, parallel, reduction},
      [](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
        Value self = linalg::IndexOp::create(b, 2), other = linalg::IndexOp::create(b, 3);
        Value larger = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, in[1], in[0]);
        Value same = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, in[1], in[0]);
        Value lower = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, other, self);
        Value tie = arith::AndIOp::create(b, same, lower);
        Value before = arith::OrIOp::create(b, larger, tie);
        Value one = arith::ExtUIOp::create(b, b.getI32Type(), before);
        return arith::AddIOp::create(b, in[2], one);
      });
}

Value createIsKept(ImplicitLocOpBuilder &b, Value rank, int64_t n) {
  Value limit = arith::ConstantOp::create(b, b.getI32IntegerAttr(n));
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, rank, limit);
}

/// How many kept members of the group stand at lower indices: a kept member's
/// place among the N that are stored.
Value createPlaces(ImplicitLocOpBuilder &b, Value ranks, int64_t n) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(ranks.getType()).getShape();
  Value zeros = createZeros(b, shape, b.getI32Type());
  return createGeneric(
      b, ranks, zeros, {dims(b, 4, {0, 1, 3}), dims(b, 4, {0, 1, 2})},
      {parallel, parallel, parallel, reduction},
      [n](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
        Value self = linalg::IndexOp::create(b, 2), other = linalg::IndexOp::create(b, 3);
        Value lower = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, other, self);
        Value counts = arith::AndIOp::create(b, createIsKept(b, in[0], n), lower);
        Value one = arith::ExtUIOp::create(b, b.getI32Type(), counts);
        return arith::AddIOp::create(b, in[1], one);
      });
}

/// The absolute index of the kept member at each place, N/V x K/M x N.
Value createIndices(ImplicitLocOpBuilder &b, Value ranks, Value places, int64_t n,
                    int64_t m) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(ranks.getType()).getShape();
  Value zeros = createZeros(b, {shape[0], shape[1], n}, b.getI32Type());
  AffineMap member = dims(b, 4, {0, 1, 3});
  return createGeneric(
      b, {ranks, places}, zeros, {member, member, dims(b, 4, {0, 1, 2})},
      {parallel, parallel, parallel, reduction},
      [n, m](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
        auto index = [&](unsigned dim) -> Value {
          Value position = linalg::IndexOp::create(b, dim);
          return arith::IndexCastOp::create(b, b.getI32Type(), position);
        };
        Value here = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, in[1], index(2));
        Value stored = arith::AndIOp::create(b, createIsKept(b, in[0], n), here);
        Value size = arith::ConstantOp::create(b, b.getI32IntegerAttr(m));
        Value first = arith::MulIOp::create(b, index(1), size);
        Value absolute = arith::AddIOp::create(b, first, index(3));
        Value zero = arith::ConstantOp::create(b, b.getI32IntegerAttr(0));
        Value term = arith::SelectOp::create(b, stored, absolute, zero);
        return arith::AddIOp::create(b, in[2], term);
      });
}

/// Narrows to the stored index type; i16 is read unsigned.
Value createStoredIndices(ImplicitLocOpBuilder &b, Value indices, Type element) {
  auto type = cast<RankedTensorType>(indices.getType());
  if (type.getElementType() == element)
    return indices;
  Value empty = tensor::EmptyOp::create(b, type.getShape(), element);
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  return createGeneric(b, indices, empty, {identity, identity}, {parallel, parallel},
                       [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                         return arith::TruncIOp::create(b, element, in[0]);
                       });
}

} // namespace

FailureOr<SmallVector<Value>> NMAttr::buildSelect(OpBuilder &builder, Location loc,
                                                  Value scores) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(scores.getType());
  auto storage = getStorage(type, [&] { return emitError(loc); });
  if (failed(storage))
    return failure();
  RankedTensorType indexType = storage->back().type;
  int64_t blocks = indexType.getDimSize(0), groups = type.getDimSize(0) / getM();

  Value sums = createGroupScores(b, scores, getVector());
  auto groupedType =
      RankedTensorType::get({blocks, groups, getM()}, type.getElementType());
  SmallVector<ReassociationIndices> split{{0}, {1, 2}};
  Value grouped = tensor::ExpandShapeOp::create(b, groupedType, sums, split);
  Value ranks = createRanks(b, grouped);
  Value places = createPlaces(b, ranks, getN());
  Value kept = createIndices(b, ranks, places, getN(), getM());
  auto flat = RankedTensorType::get(indexType.getShape(), b.getI32Type());
  Value indices = tensor::CollapseShapeOp::create(b, flat, kept, split);
  return SmallVector<Value>{createStoredIndices(b, indices, indexType.getElementType())};
}

FailureOr<Value> NMAttr::buildDensify(OpBuilder &builder, Location loc,
                                      ValueRange storage, RankedTensorType matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  Value values = storage[0], indices = storage[1];
  ArrayRef<int64_t> shape = cast<RankedTensorType>(values.getType()).getShape();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  Value zero = constant(0), one = constant(1);
  SmallVector<Value> lower(3, zero), steps(3, one);
  SmallVector<Value> upper{constant(shape[0]), constant(shape[1]), constant(shape[2])};
  Value zeros = createZeros(b, matrix.getShape(), matrix.getElementType());
  // A scatter: a pattern never names one entry twice, but only a loop says so in
  // IR that bufferizes in place.
  scf::LoopNest nest = scf::buildLoopNest(
      b, loc, lower, upper, steps, zeros,
      [&](OpBuilder &builder, Location loc, ValueRange at, ValueRange carried) {
        ImplicitLocOpBuilder b(loc, builder);
        Value stored = tensor::ExtractOp::create(b, indices, at.take_front(2));
        Value row = arith::IndexCastUIOp::create(b, b.getIndexType(), stored);
        Value first = arith::MulIOp::create(b, at[0], constant(shape[2]));
        Value column = arith::AddIOp::create(b, first, at[2]);
        Value entry = tensor::ExtractOp::create(b, values, at);
        Value updated =
            tensor::InsertOp::create(b, entry, carried[0], ValueRange{row, column});
        return scf::ValueVector{updated};
      });
  return nest.results.front();
}

FailureOr<Value> NMAttr::buildRestrict(OpBuilder &builder, Location loc, Value matrix,
                                       ValueRange pattern) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(matrix.getType());
  auto storage = getStorage(type, [&] { return emitError(loc); });
  if (failed(storage))
    return failure();
  Value empty =
      tensor::EmptyOp::create(b, storage->front().type.getShape(), type.getElementType());
  return createGeneric(
      b, pattern[0], empty, {dims(b, 3, {0, 1}), dims(b, 3, {0, 1, 2})},
      {parallel, parallel, parallel},
      [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
        Value row = arith::IndexCastUIOp::create(b, b.getIndexType(), in[0]);
        Value size = arith::ConstantIndexOp::create(b, getVector());
        Value block = linalg::IndexOp::create(b, 0);
        Value first = arith::MulIOp::create(b, block, size);
        Value lane = linalg::IndexOp::create(b, 2);
        Value column = arith::AddIOp::create(b, first, lane);
        return tensor::ExtractOp::create(b, matrix, ValueRange{row, column});
      });
}
