// Selection of entries by their scores, as IR on tensors.
#include "sparsam/Structure/BuildPattern.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

constexpr auto parallel = utils::IteratorType::parallel;
constexpr auto reduction = utils::IteratorType::reduction;

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
      {getDims(b, 4, {0, 1, 2}), getDims(b, 4, {0, 1, 3}), getDims(b, 4, {0, 1, 2})},
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
      b, ranks, zeros, {getDims(b, 4, {0, 1, 3}), getDims(b, 4, {0, 1, 2})},
      {parallel, parallel, parallel, reduction},
      [n](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
        Value self = linalg::IndexOp::create(b, 2), other = linalg::IndexOp::create(b, 3);
        Value lower = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, other, self);
        Value counts = arith::AndIOp::create(b, createIsKept(b, in[0], n), lower);
        Value one = arith::ExtUIOp::create(b, b.getI32Type(), counts);
        return arith::AddIOp::create(b, in[1], one);
      });
}

/// The kept member at each place, blocks x groups x N.
Value createMembers(ImplicitLocOpBuilder &b, Value ranks, Value places, int64_t n) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(ranks.getType()).getShape();
  Value zeros = createZeros(b, {shape[0], shape[1], n}, b.getI32Type());
  AffineMap member = getDims(b, 4, {0, 1, 3});
  return createGeneric(
      b, {ranks, places}, zeros, {member, member, getDims(b, 4, {0, 1, 2})},
      {parallel, parallel, parallel, reduction},
      [n](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
        auto index = [&](unsigned dim) -> Value {
          Value position = linalg::IndexOp::create(b, dim);
          return arith::IndexCastOp::create(b, b.getI32Type(), position);
        };
        Value here = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, in[1], index(2));
        Value stored = arith::AndIOp::create(b, createIsKept(b, in[0], n), here);
        Value zero = arith::ConstantOp::create(b, b.getI32IntegerAttr(0));
        Value term = arith::SelectOp::create(b, stored, index(3), zero);
        return arith::AddIOp::create(b, in[2], term);
      });
}

} // namespace

Value sparsam::createBlockScores(ImplicitLocOpBuilder &b, Value scores, int64_t vector) {
  auto type = cast<RankedTensorType>(scores.getType());
  int64_t inputs = type.getDimSize(0), blocks = type.getDimSize(1) / vector;
  auto split = RankedTensorType::get({inputs, blocks, vector}, type.getElementType());
  SmallVector<ReassociationIndices> groups{{0}, {1, 2}};
  Value blocked = tensor::ExpandShapeOp::create(b, split, scores, groups);
  Value zeros = createZeros(b, {blocks, inputs}, type.getElementType());
  return createGeneric(b, blocked, zeros,
                       {getDims(b, 3, {1, 0, 2}), getDims(b, 3, {0, 1})},
                       {parallel, parallel, reduction},
                       [](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                         Value magnitude = math::AbsFOp::create(b, in[0]);
                         return arith::AddFOp::create(b, in[1], magnitude);
                       });
}

Value sparsam::createGroupSelection(ImplicitLocOpBuilder &b, Value scores, int64_t n) {
  Value ranks = createRanks(b, scores);
  return createMembers(b, ranks, createPlaces(b, ranks, n), n);
}

Value sparsam::createInputsOfMembers(ImplicitLocOpBuilder &b, Value members, int64_t m) {
  AffineMap identity = b.getMultiDimIdentityMap(3);
  Value empty = tensor::EmptyOp::create(
      b, cast<RankedTensorType>(members.getType()).getShape(), b.getI32Type());
  return createGeneric(
      b, members, empty, {identity, identity}, {parallel, parallel, parallel},
      [m](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
        Value group = linalg::IndexOp::create(b, 1);
        Value narrow = arith::IndexCastOp::create(b, b.getI32Type(), group);
        Value size = arith::ConstantOp::create(b, b.getI32IntegerAttr(m));
        Value first = arith::MulIOp::create(b, narrow, size);
        return arith::AddIOp::create(b, first, in[0]);
      });
}

Value sparsam::createRowSelection(ImplicitLocOpBuilder &b, Value scores, int64_t count) {
  auto type = cast<RankedTensorType>(scores.getType());
  auto chosen = RankedTensorType::get({type.getDimSize(0), count}, b.getI64Type());
  return createRuntimeCall(b, getRuntimeName("sparsam_largest", type.getElementType()),
                           scores, chosen)
      .front();
}
