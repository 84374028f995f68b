// The kept rows and columns of slice and what lies there, as IR on tensors.
#include "sparsam/Structure/BuildPattern.h"
#include "sparsam/Structure/Slice/Slice.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// The segments of an axis on one side, and which of its entries are kept.
struct Side {
  SmallVector<AxisSegment> segments;
  Value isKept;
};

constexpr auto parallel = utils::IteratorType::parallel;
constexpr auto reduction = utils::IteratorType::reduction;

Value constant(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

/// True at the entries of an axis that `indices` names.
Value createIsKept(ImplicitLocOpBuilder &b, Value indices, int64_t size) {
  int64_t keep = cast<RankedTensorType>(indices.getType()).getDimSize(0);
  Value none = createZeros(b, {size}, b.getI1Type());
  return createLoop(b, constant(b, 0), constant(b, keep), none,
                    [&](ImplicitLocOpBuilder &b, Value at, Value carried) -> Value {
                      Value yes = arith::ConstantOp::create(b, b.getBoolAttr(true));
                      Value entry = createIndexRead(b, indices, at);
                      return tensor::InsertOp::create(b, yes, carried, entry);
                    });
}

/// Whether row `row` is kept.
Value createIsRowKept(ImplicitLocOpBuilder &b, ArrayRef<Side> sides, Value row) {
  Value all = arith::ConstantOp::create(b, b.getBoolAttr(true));
  for (const Side &side : sides)
    for (const AxisSegment &segment : side.segments) {
      Value begin = constant(b, segment.offset);
      Value place = arith::SubIOp::create(b, row, begin);
      // Below the segment the difference wraps around to a large number.
      Value inside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, place,
                                           constant(b, segment.getLength()));
      Value safe = arith::SelectOp::create(b, inside, place, constant(b, 0));
      Value entry = arith::RemUIOp::create(
          b, arith::DivUIOp::create(b, safe, constant(b, segment.inner)),
          constant(b, segment.size));
      Value kept = tensor::ExtractOp::create(b, side.isKept, entry);
      Value yes = arith::ConstantOp::create(b, b.getBoolAttr(true));
      all = arith::AndIOp::create(b, all, arith::SelectOp::create(b, inside, kept, yes));
    }
  return all;
}

/// The kept ones of `size` rows, `count` of them, ascending.
Value createKeptRows(ImplicitLocOpBuilder &b, ArrayRef<Side> sides, int64_t size,
                     int64_t count) {
  Value rows = tensor::EmptyOp::create(b, {count}, b.getI32Type());
  if (llvm::all_of(sides, [](const Side &side) { return side.segments.empty(); })) {
    return createGeneric(b, {}, rows, {getDims(b, 1, {0})}, {parallel},
                         [](ImplicitLocOpBuilder &b, ValueRange) -> Value {
                           Value row = linalg::IndexOp::create(b, 0);
                           return arith::IndexCastOp::create(b, b.getI32Type(), row);
                         });
  }
  auto loop = scf::ForOp::create(
      b, constant(b, 0), constant(b, size), constant(b, 1),
      ValueRange{rows, constant(b, 0)},
      [&](OpBuilder &builder, Location loc, Value row, ValueRange carried) {
        ImplicitLocOpBuilder b(loc, builder);
        Value last = constant(b, count - 1);
        Value kept = createIsRowKept(b, sides, row);
        // The place of the next kept row is written by every row before it as well.
        Value place = arith::MinUIOp::create(b, carried[1], last);
        Value isRoom =
            arith::CmpIOp::create(b, arith::CmpIPredicate::ule, carried[1], last);
        Value old = tensor::ExtractOp::create(b, carried[0], place);
        Value number = arith::IndexCastOp::create(b, b.getI32Type(), row);
        Value entry = arith::SelectOp::create(b, isRoom, number, old);
        Value written = tensor::InsertOp::create(b, entry, carried[0], place);
        Value next = arith::AddIOp::create(
            b, carried[1],
            arith::SelectOp::create(b, kept, constant(b, 1), constant(b, 0)));
        scf::YieldOp::create(b, ValueRange{written, next});
      });
  return loop.getResult(0);
}

struct Kept {
  Value rows, columns;
};

Kept createKept(ImplicitLocOpBuilder &b, SliceAttr structure, ValueRange indices,
                RankedTensorType matrix, RankedTensorType values) {
  SmallVector<Side> rows, columns;
  for (auto [axis, kept] : llvm::zip_equal(structure.getSlicedAxes(), indices)) {
    Value isKept = createIsKept(b, kept, axis.getSize());
    rows.push_back({axis.rows, isKept});
    columns.push_back({axis.columns, isKept});
  }
  return {createKeptRows(b, rows, matrix.getDimSize(0), values.getDimSize(0)),
          createKeptRows(b, columns, matrix.getDimSize(1), values.getDimSize(1))};
}

/// The sums of w * w of the entries of an axis: `segment.size` sums, added to `sums`.
Value addScores(ImplicitLocOpBuilder &b, Value matrix, const AxisSegment &at, int64_t dim,
                Value sums) {
  auto type = cast<RankedTensorType>(matrix.getType());
  SmallVector<OpFoldResult> offsets(2, b.getIndexAttr(0)), strides(2, b.getIndexAttr(1)),
      sizes{b.getIndexAttr(type.getDimSize(0)), b.getIndexAttr(type.getDimSize(1))};
  offsets[dim] = b.getIndexAttr(at.offset);
  sizes[dim] = b.getIndexAttr(at.getLength());
  Value run = tensor::ExtractSliceOp::create(b, matrix, offsets, sizes, strides);
  SmallVector<int64_t> shape{type.getDimSize(0)};
  if (dim)
    shape.append({at.outer, at.size, at.inner});
  else
    shape = {at.outer, at.size, at.inner, type.getDimSize(1)};
  Value split = buildReshape(b, b.getLoc(), run, shape);
  unsigned axis = dim ? 2 : 1;
  SmallVector<utils::IteratorType> loops(4, reduction);
  loops[axis] = parallel;
  return createGeneric(b, split, sums,
                       {getDims(b, 4, {0, 1, 2, 3}), getDims(b, 4, {axis})}, loops,
                       [](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                         Value square = arith::MulFOp::create(b, in[0], in[0]);
                         return arith::AddFOp::create(b, in[1], square);
                       });
}

} // namespace

FailureOr<Value> SliceAttr::buildCoupledSelect(OpBuilder &builder, Location loc,
                                               ValueRange matrices,
                                               ArrayRef<Attribute> structures,
                                               StringAttr group) const {
  ImplicitLocOpBuilder b(loc, builder);
  Value sums;
  int64_t keep = 0, size = 0;
  for (auto [matrix, structure] : llvm::zip_equal(matrices, structures))
    for (const SlicedAxis &axis : cast<SliceAttr>(structure).getSlicedAxes()) {
      if (axis.group != group)
        continue;
      keep = axis.keep;
      size = axis.getSize();
      if (!sums)
        sums = createZeros(b, {size}, getElementTypeOrSelf(matrix));
      for (const AxisSegment &segment : axis.rows)
        sums = addScores(b, matrix, segment, 0, sums);
      for (const AxisSegment &segment : axis.columns)
        sums = addScores(b, matrix, segment, 1, sums);
    }
  if (!sums)
    return failure();
  Value row = buildReshape(b, loc, sums, {1, size});
  Value chosen = buildReshape(b, loc, createRowSelection(b, row, keep), {keep});
  return createStoredIndices(b, chosen, b.getIntegerType(size > 65536 ? 32 : 16));
}

FailureOr<SmallVector<Value>> SliceAttr::buildSelect(OpBuilder &builder, Location loc,
                                                     Value scores) const {
  SmallVector<Value> pattern;
  for (const SlicedAxis &axis : getSlicedAxes()) {
    auto chosen = buildCoupledSelect(builder, loc, scores, Attribute(*this), axis.group);
    if (failed(chosen))
      return failure();
    pattern.push_back(*chosen);
  }
  return pattern;
}

FailureOr<Value> SliceAttr::buildDensify(OpBuilder &builder, Location loc,
                                         ValueRange storage,
                                         RankedTensorType matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  Kept kept = createKept(b, *this, storage.drop_front(), matrix,
                         cast<RankedTensorType>(storage.front().getType()));
  return createScatter(
      b, storage.front(), matrix, [&](ImplicitLocOpBuilder &b, ValueRange at) {
        return SmallVector<Value>{createIndexRead(b, kept.rows, at[0]),
                                  createIndexRead(b, kept.columns, at[1])};
      });
}

FailureOr<Value> SliceAttr::buildRestrict(OpBuilder &builder, Location loc, Value matrix,
                                          ValueRange pattern) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(matrix.getType());
  auto storage = getStorage(type, [&] { return emitError(loc); });
  if (failed(storage))
    return failure();
  Kept kept = createKept(b, *this, pattern, type, storage->front().type);
  return createGather(
      builder, loc, *this, matrix, {kept.rows, kept.columns}, {{0}, {1}},
      [](ImplicitLocOpBuilder &, ValueRange at) { return SmallVector<Value>(at); });
}
