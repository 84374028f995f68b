// The pattern of nm and what lies on it, as plain IR on tensors.
#include "sparsam/Structure/BuildPattern.h"
#include "sparsam/Structure/NM/NM.h"

using namespace mlir;
using namespace mlir::sparsam;

static constexpr auto parallel = utils::IteratorType::parallel;

/// The kept inputs of each output in a transposable pattern.
static Value createTransposable(ImplicitLocOpBuilder &b, NMAttr structure, Value scores,
                                RankedTensorType indices) {
  std::string name = getRuntimeName("sparsam_transposable", getElementTypeOrSelf(scores));
  Value n = arith::ConstantOp::create(b, b.getI64IntegerAttr(structure.getN()));
  Value m = arith::ConstantOp::create(b, b.getI64IntegerAttr(structure.getM()));
  auto wide = RankedTensorType::get(indices.getShape(), b.getI32Type());
  return createRuntimeCall(b, name, scores, wide, ValueRange{n, m}).front();
}

FailureOr<SmallVector<Value>> NMAttr::buildSelect(OpBuilder &builder, Location loc,
                                                  Value scores) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(scores.getType());
  auto storage = getStorage(type, [&] { return emitError(loc); });
  if (failed(storage))
    return failure();
  RankedTensorType indexType = storage->back().type;
  int64_t blocks = indexType.getDimSize(0), groups = type.getDimSize(0) / getM();
  if (getTransposable())
    return SmallVector<Value>{createStoredIndices(
        b, createTransposable(b, *this, scores, indexType), indexType.getElementType())};

  Value sums = createBlockScores(b, scores, getVector());
  auto groupedType =
      RankedTensorType::get({blocks, groups, getM()}, type.getElementType());
  SmallVector<ReassociationIndices> split{{0}, {1, 2}};
  Value grouped = tensor::ExpandShapeOp::create(b, groupedType, sums, split);
  Value members = createGroupSelection(b, grouped, getN());
  Value kept = createInputsOfMembers(b, members, getM());
  auto flat = RankedTensorType::get(indexType.getShape(), b.getI32Type());
  Value indices = tensor::CollapseShapeOp::create(b, flat, kept, split);
  return SmallVector<Value>{createStoredIndices(b, indices, indexType.getElementType())};
}

FailureOr<Value> NMAttr::buildDensify(OpBuilder &builder, Location loc,
                                      ValueRange storage, RankedTensorType matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  Value indices = storage[1];
  return createScatter(
      b, storage[0], matrix, [&](ImplicitLocOpBuilder &b, ValueRange at) {
        Value row = createIndexRead(b, indices, at.take_front(2));
        Value size = arith::ConstantIndexOp::create(b, getVector());
        Value first = arith::MulIOp::create(b, at[0], size);
        return SmallVector<Value>{row, arith::AddIOp::create(b, first, at[2])};
      });
}

FailureOr<Value> NMAttr::buildRestrict(OpBuilder &builder, Location loc, Value matrix,
                                       ValueRange pattern) const {
  return createGather(builder, loc, *this, matrix, pattern[0], {{0, 1}},
                      [&](ImplicitLocOpBuilder &b, ValueRange at) {
                        Value size = arith::ConstantIndexOp::create(b, getVector());
                        Value block = linalg::IndexOp::create(b, 0);
                        Value first = arith::MulIOp::create(b, block, size);
                        Value lane = linalg::IndexOp::create(b, 2);
                        Value column = arith::AddIOp::create(b, first, lane);
                        return SmallVector<Value>{at[0], column};
                      });
}

/// Of each group, the largest score that is not kept: blocks x groups x M scores and
/// blocks x groups x N kept inputs to blocks x groups.
static Value createDisplaced(ImplicitLocOpBuilder &b, Value scores, Value kept) {
  auto type = cast<RankedTensorType>(scores.getType());
  int64_t m = type.getDimSize(2);
  constexpr auto reduction = utils::IteratorType::reduction;
  Value isKept = createGeneric(
      b, kept, createZeros(b, type.getShape(), b.getI1Type()),
      {getDims(b, 4, {0, 1, 3}), getDims(b, 4, {0, 1, 2})},
      {parallel, parallel, parallel, reduction},
      [m](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
        Value input = arith::IndexCastUIOp::create(b, b.getIndexType(), in[0]);
        Value size = arith::ConstantIndexOp::create(b, m);
        Value first = arith::MulIOp::create(b, linalg::IndexOp::create(b, 1), size);
        Value own = arith::AddIOp::create(b, first, linalg::IndexOp::create(b, 2));
        Value same = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, input, own);
        return arith::OrIOp::create(b, in[1], same);
      });
  Type element = type.getElementType();
  return createGeneric(
      b, {scores, isKept}, createZeros(b, type.getShape().drop_back(), element),
      {getDims(b, 3, {0, 1, 2}), getDims(b, 3, {0, 1, 2}), getDims(b, 3, {0, 1})},
      {parallel, parallel, reduction},
      [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
        Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
        Value lost = arith::SelectOp::create(b, in[1], zero, in[0]);
        return arith::MaximumFOp::create(b, in[2], lost);
      });
}

FailureOr<Value> NMAttr::buildShrinkage(OpBuilder &builder, Location loc, Value scores,
                                        ValueRange pattern) const {
  // What an entry displaces by rows and by columns is no one number.
  if (getTransposable())
    return failure();
  ImplicitLocOpBuilder b(loc, builder);
  Value sums = createBlockScores(b, scores, getVector());
  auto type = cast<RankedTensorType>(sums.getType());
  int64_t blocks = type.getDimSize(0), groups = type.getDimSize(1) / getM();
  Type element = type.getElementType();
  SmallVector<ReassociationIndices> split{{0}, {1, 2}};
  Value grouped = tensor::ExpandShapeOp::create(
      b, RankedTensorType::get({blocks, groups, getM()}, element), sums, split);
  Type index = getElementTypeOrSelf(pattern[0]);
  Value kept = tensor::ExpandShapeOp::create(
      b, RankedTensorType::get({blocks, groups, getN()}, index), pattern[0], split);
  Value displaced = createDisplaced(b, grouped, kept);
  Value empty = tensor::EmptyOp::create(
      b, ArrayRef<int64_t>{blocks, groups, getN(), getVector()}, element);
  Value shares = createGeneric(
      b, {kept, displaced}, empty,
      {getDims(b, 4, {0, 1, 2}), getDims(b, 4, {0, 1}), getDims(b, 4, {0, 1, 2, 3})},
      {parallel, parallel, parallel, parallel},
      [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
        Value input = arith::IndexCastUIOp::create(b, b.getIndexType(), in[0]);
        Value block = linalg::IndexOp::create(b, 0);
        Value score = tensor::ExtractOp::create(b, sums, ValueRange{block, input});
        Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
        Value above = arith::SubFOp::create(b, score, in[1]);
        Value share = arith::DivFOp::create(b, above, score);
        Value isZero = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, score, zero);
        return arith::SelectOp::create(b, isZero, zero, share);
      });
  auto flat = RankedTensorType::get({blocks, groups * getN(), getVector()}, element);
  SmallVector<ReassociationIndices> join{{0}, {1, 2}, {3}};
  return Value(tensor::CollapseShapeOp::create(b, flat, shares, join));
}
