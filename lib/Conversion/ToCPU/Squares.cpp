#include "Squares.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

SquareRow Square::buildRow(ImplicitLocOpBuilder &b, int64_t i) const {
  Value at = buildOffset(b, row, i), count = buildIndex(b, columns);
  if (isWhole())
    return {{at, column}, Value()};
  if (rows) {
    Value exists =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at, buildIndex(b, *rows));
    count = arith::SelectOp::create(b, exists, count, buildIndex(b, 0));
    at = arith::SelectOp::create(b, exists, at, buildIndex(b, *rows - 1));
  }
  auto maskType = VectorType::get(lanes, b.getI1Type());
  return {{at, column}, vector::CreateMaskOp::create(b, maskType, count)};
}

Value cpu::buildLoad(ImplicitLocOpBuilder &b, Value matrix, const SquareRow &row,
                     int64_t lanes) {
  auto type = VectorType::get(lanes, cast<MemRefType>(matrix.getType()).getElementType());
  if (!row.mask)
    return vector::LoadOp::create(b, type, matrix, row.at);
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(type));
  return vector::MaskedLoadOp::create(b, type, matrix, row.at, row.mask, zeros);
}

void cpu::buildStore(ImplicitLocOpBuilder &b, Value matrix, const SquareRow &row,
                     Value vector) {
  if (row.mask)
    vector::MaskedStoreOp::create(b, matrix, row.at, row.mask, vector);
  else
    vector::StoreOp::create(b, vector, matrix, row.at);
}

void cpu::buildStore(ImplicitLocOpBuilder &b, Value matrix, const Square &square,
                     ArrayRef<Value> rows) {
  for (auto [i, vector] : llvm::enumerate(rows))
    buildStore(b, matrix, square.buildRow(b, i), vector);
}

void cpu::buildColumns(ImplicitLocOpBuilder &b, int64_t columns, int64_t lanes,
                       function_ref<void(ImplicitLocOpBuilder &, Value, int64_t)> body) {
  int64_t whole = columns / lanes * lanes;
  if (whole)
    buildFor(b, whole, lanes,
             [&](ImplicitLocOpBuilder &b, Value column) { body(b, column, lanes); });
  if (whole < columns)
    body(b, buildIndex(b, whole), columns - whole);
}

void cpu::buildColumns(ImplicitLocOpBuilder &b, Value columns, int64_t rest,
                       int64_t width, int64_t lanes,
                       function_ref<void(ImplicitLocOpBuilder &, Value, int64_t)> body) {
  Value begin = buildIndex(b, 0);
  for (int64_t step : {width, lanes}) {
    Value left = arith::SubIOp::create(b, columns, begin);
    Value over = arith::RemUIOp::create(b, left, buildIndex(b, step));
    Value end = arith::SubIOp::create(b, columns, over);
    buildFor(b, begin, end, step,
             [&](ImplicitLocOpBuilder &b, Value column) { body(b, column, step); });
    begin = end;
    if (width == lanes)
      break;
  }
  if (!rest)
    return;
  Value any = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, begin, columns);
  buildIf(b, any, [&](ImplicitLocOpBuilder &b) { body(b, begin, rest); });
}
