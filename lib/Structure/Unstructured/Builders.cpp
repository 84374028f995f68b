// The pattern of unstructured and what lies on it, as IR on tensors.
#include "sparsam/Structure/BuildPattern.h"
#include "sparsam/Structure/Unstructured/Unstructured.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

constexpr auto parallel = utils::IteratorType::parallel;

/// |w| in the order in which ties are broken: K x N to 1 x (N * K).
Value createScores(ImplicitLocOpBuilder &b, Value scores) {
  auto type = cast<RankedTensorType>(scores.getType());
  int64_t inputs = type.getDimSize(0), outputs = type.getDimSize(1);
  Value empty = tensor::EmptyOp::create(b, {outputs, inputs}, type.getElementType());
  Value magnitudes = createGeneric(
      b, scores, empty, {getDims(b, 2, {1, 0}), getDims(b, 2, {0, 1})},
      {parallel, parallel}, [](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
        return math::AbsFOp::create(b, in[0]);
      });
  SmallVector<ReassociationIndices> all{{0, 1}};
  Value flat = tensor::CollapseShapeOp::create(b, magnitudes, all);
  auto row = RankedTensorType::get({1, inputs * outputs}, type.getElementType());
  return tensor::ExpandShapeOp::create(b, row, flat, all);
}

/// positions[n + 1] - positions[n] is how many of the chosen entries, which are numbers
/// in output-major order, are of output n.
Value createPositions(ImplicitLocOpBuilder &b, Value chosen, int64_t inputs,
                      RankedTensorType type) {
  auto constant = [&](ImplicitLocOpBuilder &b, int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  int64_t count = cast<RankedTensorType>(chosen.getType()).getDimSize(0);
  Value one = arith::ConstantOp::create(b, b.getI32IntegerAttr(1));
  Value zeros = createZeros(b, type.getShape(), type.getElementType());
  // Counted in the place of the output's end, then summed up.
  Value counts =
      createLoop(b, constant(b, 0), constant(b, count), zeros,
                 [&](ImplicitLocOpBuilder &b, Value place, Value counts) -> Value {
                   Value number = createIndexRead(b, chosen, place);
                   Value output = arith::DivUIOp::create(b, number, constant(b, inputs));
                   Value end = arith::AddIOp::create(b, output, constant(b, 1));
                   Value before = tensor::ExtractOp::create(b, counts, end);
                   Value after = arith::AddIOp::create(b, before, one);
                   return tensor::InsertOp::create(b, after, counts, end);
                 });
  return createLoop(b, constant(b, 1), constant(b, type.getDimSize(0)), counts,
                    [&](ImplicitLocOpBuilder &b, Value end, Value sums) -> Value {
                      Value begin = arith::SubIOp::create(b, end, constant(b, 1));
                      Value before = tensor::ExtractOp::create(b, sums, begin);
                      Value own = tensor::ExtractOp::create(b, sums, end);
                      Value sum = arith::AddIOp::create(b, before, own);
                      return tensor::InsertOp::create(b, sum, sums, end);
                    });
}

/// Calls `body` for each stored entry: its place in the storage, input and output.
Value createEntryLoop(ImplicitLocOpBuilder &b, ValueRange pattern, int64_t outputs,
                      Value carried,
                      function_ref<Value(ImplicitLocOpBuilder &, Value place, Value input,
                                         Value output, Value carried)>
                          body) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value end = arith::ConstantIndexOp::create(b, outputs);
  return createLoop(b, zero, end, carried,
                    [&](ImplicitLocOpBuilder &b, Value output, Value carried) -> Value {
                      Value one = arith::ConstantIndexOp::create(b, 1);
                      Value next = arith::AddIOp::create(b, output, one);
                      Value begin = createIndexRead(b, pattern[0], output);
                      Value end = createIndexRead(b, pattern[0], next);
                      return createLoop(
                          b, begin, end, carried,
                          [&](ImplicitLocOpBuilder &b, Value place, Value carried) {
                            Value input = createIndexRead(b, pattern[1], place);
                            return body(b, place, input, output, carried);
                          });
                    });
}

} // namespace

FailureOr<SmallVector<Value>>
UnstructuredAttr::buildSelect(OpBuilder &builder, Location loc, Value scores) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(scores.getType());
  auto storage = getStorage(type, [&] { return emitError(loc); });
  if (failed(storage))
    return failure();
  RankedTensorType positionType = (*storage)[1].type, indexType = (*storage)[2].type;
  int64_t inputs = type.getDimSize(0);
  Value row = createRowSelection(b, createScores(b, scores), indexType.getDimSize(0));
  Value chosen =
      tensor::CollapseShapeOp::create(b, row, SmallVector<ReassociationIndices>{{0, 1}});
  Value kept = createMap(
      b, chosen, b.getI64Type(), [&](ImplicitLocOpBuilder &b, Value number) -> Value {
        Value size = arith::ConstantOp::create(b, b.getI64IntegerAttr(inputs));
        return arith::RemUIOp::create(b, number, size);
      });
  return SmallVector<Value>{createPositions(b, chosen, inputs, positionType),
                            createStoredIndices(b, kept, indexType.getElementType())};
}

FailureOr<Value> UnstructuredAttr::buildDensify(OpBuilder &builder, Location loc,
                                                ValueRange storage,
                                                RankedTensorType matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  Value zeros = createZeros(b, matrix.getShape(), matrix.getElementType());
  return createEntryLoop(
      b, storage.drop_front(), matrix.getDimSize(1), zeros,
      [&](ImplicitLocOpBuilder &b, Value place, Value input, Value output,
          Value dense) -> Value {
        Value entry = tensor::ExtractOp::create(b, storage.front(), place);
        return tensor::InsertOp::create(b, entry, dense, ValueRange{input, output});
      });
}

FailureOr<Value> UnstructuredAttr::buildRestrict(OpBuilder &builder, Location loc,
                                                 Value matrix, ValueRange pattern) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(matrix.getType());
  auto storage = getStorage(type, [&] { return emitError(loc); });
  if (failed(storage))
    return failure();
  Value empty =
      tensor::EmptyOp::create(b, storage->front().type.getShape(), type.getElementType());
  return createEntryLoop(b, pattern, type.getDimSize(1), empty,
                         [&](ImplicitLocOpBuilder &b, Value place, Value input,
                             Value output, Value values) -> Value {
                           Value entry = tensor::ExtractOp::create(
                               b, matrix, ValueRange{input, output});
                           return tensor::InsertOp::create(b, entry, values, place);
                         });
}
