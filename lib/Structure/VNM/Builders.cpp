// The pattern of vnm and what lies on it, as IR on tensors.
#include "sparsam/Structure/BuildPattern.h"
#include "sparsam/Structure/VNM/VNM.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

constexpr auto parallel = utils::IteratorType::parallel;

Value createIndex(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

/// The input of the value at `place` of `output`.
Value createInput(ImplicitLocOpBuilder &b, VNMAttr structure, ValueRange pattern,
                  Value output, Value place) {
  Value block = arith::DivUIOp::create(b, output, createIndex(b, structure.getV()));
  Value group = arith::DivUIOp::create(b, place, createIndex(b, structure.getN()));
  Value first = arith::MulIOp::create(b, group, createIndex(b, 4));
  Value member = createIndexRead(b, pattern[1], ValueRange{output, place});
  Value column = arith::AddIOp::create(b, first, member);
  return createIndexRead(b, pattern[0], ValueRange{block, column});
}

/// |w| of each output at its columns: N' x groups x 4.
Value createColumnScores(ImplicitLocOpBuilder &b, Value scores, Value columns,
                         int64_t v) {
  auto type = cast<RankedTensorType>(scores.getType());
  int64_t outputs = type.getDimSize(1);
  int64_t shared = cast<RankedTensorType>(columns.getType()).getDimSize(1);
  Value empty = tensor::EmptyOp::create(b, {outputs, shared}, type.getElementType());
  Value magnitudes = createGeneric(
      b, ValueRange(), empty, b.getMultiDimIdentityMap(2), {parallel, parallel},
      [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
        Value output = linalg::IndexOp::create(b, 0);
        Value place = linalg::IndexOp::create(b, 1);
        Value block = arith::DivUIOp::create(b, output, createIndex(b, v));
        Value input = createIndexRead(b, columns, ValueRange{block, place});
        Value entry = tensor::ExtractOp::create(b, scores, ValueRange{input, output});
        return math::AbsFOp::create(b, entry);
      });
  auto grouped = RankedTensorType::get({outputs, shared / 4, 4}, type.getElementType());
  return tensor::ExpandShapeOp::create(b, grouped, magnitudes,
                                       SmallVector<ReassociationIndices>{{0}, {1, 2}});
}

} // namespace

FailureOr<SmallVector<Value>> VNMAttr::buildSelect(OpBuilder &builder, Location loc,
                                                   Value scores) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(scores.getType());
  auto storage = getStorage(type, [&] { return emitError(loc); });
  if (failed(storage))
    return failure();
  int64_t groups = type.getDimSize(0) / getM(), blocks = type.getDimSize(1) / getV();
  SmallVector<ReassociationIndices> split{{0}, {1, 2}};

  Value sums = createBlockScores(b, scores, getV());
  auto grouped = RankedTensorType::get({blocks, groups, getM()}, type.getElementType());
  Value shared =
      createGroupSelection(b, tensor::ExpandShapeOp::create(b, grouped, sums, split), 4);
  Value columns =
      tensor::CollapseShapeOp::create(b, createInputsOfMembers(b, shared, getM()), split);
  Value kept =
      createGroupSelection(b, createColumnScores(b, scores, columns, getV()), getN());
  Value indices = tensor::CollapseShapeOp::create(b, kept, split);
  return SmallVector<Value>{
      createStoredIndices(b, columns, (*storage)[1].type.getElementType()),
      createStoredIndices(b, indices, (*storage)[2].type.getElementType())};
}

FailureOr<Value> VNMAttr::buildDensify(OpBuilder &builder, Location loc,
                                       ValueRange storage,
                                       RankedTensorType matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  return createScatter(
      b, storage[0], matrix, [&](ImplicitLocOpBuilder &b, ValueRange at) {
        Value input = createInput(b, *this, storage.drop_front(), at[0], at[1]);
        return SmallVector<Value>{input, at[0]};
      });
}

FailureOr<Value> VNMAttr::buildRestrict(OpBuilder &builder, Location loc, Value matrix,
                                        ValueRange pattern) const {
  return createGather(builder, loc, *this, matrix, {}, {},
                      [&](ImplicitLocOpBuilder &b, ValueRange) {
                        Value output = linalg::IndexOp::create(b, 0);
                        Value place = linalg::IndexOp::create(b, 1);
                        Value input = createInput(b, *this, pattern, output, place);
                        return SmallVector<Value>{input, output};
                      });
}
