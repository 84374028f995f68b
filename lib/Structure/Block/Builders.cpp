// The pattern of block and what lies on it, as IR on tensors.
#include "sparsam/Structure/Block/Block.h"
#include "sparsam/Structure/BuildPattern.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

constexpr auto parallel = utils::IteratorType::parallel;
constexpr auto reduction = utils::IteratorType::reduction;

/// The sum of |w| of each block: K x N to N/C x K/R.
Value createScores(ImplicitLocOpBuilder &b, Value scores, int64_t blockInputs,
                   int64_t blockOutputs) {
  auto type = cast<RankedTensorType>(scores.getType());
  int64_t rows = type.getDimSize(1) / blockOutputs;
  int64_t columns = type.getDimSize(0) / blockInputs;
  auto split = RankedTensorType::get({columns, blockInputs, rows, blockOutputs},
                                     type.getElementType());
  Value blocked = tensor::ExpandShapeOp::create(
      b, split, scores, SmallVector<ReassociationIndices>{{0, 1}, {2, 3}});
  Value zeros = createZeros(b, {rows, columns}, type.getElementType());
  return createGeneric(b, blocked, zeros,
                       {getDims(b, 4, {1, 2, 0, 3}), getDims(b, 4, {0, 1})},
                       {parallel, parallel, reduction, reduction},
                       [](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                         Value magnitude = math::AbsFOp::create(b, in[0]);
                         return arith::AddFOp::create(b, in[1], magnitude);
                       });
}

/// first * size + offset.
Value createPlace(ImplicitLocOpBuilder &b, Value block, int64_t size, Value offset) {
  Value first = arith::MulIOp::create(b, block, arith::ConstantIndexOp::create(b, size));
  return arith::AddIOp::create(b, first, offset);
}

} // namespace

FailureOr<SmallVector<Value>> BlockAttr::buildSelect(OpBuilder &builder, Location loc,
                                                     Value scores) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(scores.getType());
  auto storage = getStorage(type, [&] { return emitError(loc); });
  if (failed(storage))
    return failure();
  RankedTensorType indexType = storage->back().type;
  Value sums = createScores(b, scores, getBlockInputs(), getBlockOutputs());
  Value chosen = createRowSelection(b, sums, indexType.getDimSize(1));
  return SmallVector<Value>{createStoredIndices(b, chosen, indexType.getElementType())};
}

FailureOr<Value> BlockAttr::buildDensify(OpBuilder &builder, Location loc,
                                         ValueRange storage,
                                         RankedTensorType matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  Value indices = storage[1];
  return createScatter(
      b, storage[0], matrix, [&](ImplicitLocOpBuilder &b, ValueRange at) {
        Value stored = createIndexRead(b, indices, at.take_front(2));
        Value row = createPlace(b, stored, getBlockInputs(), at[2]);
        return SmallVector<Value>{row, createPlace(b, at[0], getBlockOutputs(), at[3])};
      });
}

FailureOr<Value> BlockAttr::buildRestrict(OpBuilder &builder, Location loc, Value matrix,
                                          ValueRange pattern) const {
  return createGather(
      builder, loc, *this, matrix, pattern[0], {{0, 1}},
      [&](ImplicitLocOpBuilder &b, ValueRange stored) {
        auto at = [&](unsigned dim) -> Value { return linalg::IndexOp::create(b, dim); };
        Value row = createPlace(b, stored[0], getBlockInputs(), at(2));
        return SmallVector<Value>{row, createPlace(b, at(0), getBlockOutputs(), at(3))};
      });
}
