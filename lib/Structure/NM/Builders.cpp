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
      b, pattern[0], empty, {getDims(b, 3, {0, 1}), getDims(b, 3, {0, 1, 2})},
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
