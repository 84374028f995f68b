// What a kernel does with the squares of its result.
#include "Epilogue.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

/// Operations on a row of a square, at most, that are repeated for each of its rows. More
/// of them would not share the registers with the rows, and compile slowly.
static constexpr int64_t mostUnrolled = 8;
/// Bytes of a row that one goes through at once, where memory is read: rows of the result
/// lie pages apart, and memory likes several lines of each.
static constexpr int64_t stripBytes = 512;

/// Of one element, in simple operations.
static int64_t getCost(func::FuncOp payload) {
  int64_t cost = 0;
  for (Operation &op : payload.getBody().front().without_terminator())
    cost += isa<math::MathDialect>(op.getDialect()) ? 16 : 1;
  return cost;
}

bool Epilogue::usesTile() const {
  return llvm::is_contained(spreads, Spread::Element) ||
         getCost(payload.get()) > mostUnrolled;
}

int64_t Epilogue::getWidth(int64_t lanes) const {
  unsigned bits = payload.get().getArgumentTypes().front().getIntOrFloatBitWidth();
  return usesTile() ? std::max<int64_t>(lanes, stripBytes * 8 / bits) : lanes;
}

std::string Epilogue::getText() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  payload.get()->print(stream, OpPrintingFlags().useLocalScope().printGenericOpForm());
  for (Spread spread : spreads)
    stream << " " << static_cast<int>(spread);
  stream << " " << storesResult;
  return text;
}

Value Epilogue::createTile(ImplicitLocOpBuilder &b, int64_t rows, int64_t columns) const {
  if (!usesTile())
    return {};
  Type element = payload.get().getArgumentTypes().front();
  return memref::AllocaOp::create(b, MemRefType::get({rows, columns}, element),
                                  b.getI64IntegerAttr(64));
}

/// The input's elements that belong to a row of a square.
static Value buildInput(ImplicitLocOpBuilder &b, Value input, Epilogue::Spread spread,
                        const SquareRow &row, int64_t lanes) {
  switch (spread) {
  case Epilogue::Spread::Element:
    return buildLoad(b, input, row, lanes);
  case Epilogue::Spread::Feature:
    return buildLoad(b, input, {{row.at.back()}, row.mask}, lanes);
  case Epilogue::Spread::Token:
    input = memref::LoadOp::create(b, input, row.at.front());
    break;
  case Epilogue::Spread::All:
    if (isa<MemRefType>(input.getType()))
      input = memref::LoadOp::create(b, input);
    break;
  }
  return vector::BroadcastOp::create(b, VectorType::get(lanes, input.getType()), input);
}

SmallVector<Value> Epilogue::buildPayload(ImplicitLocOpBuilder &b,
                                          ArrayRef<Value> vectors) const {
  int64_t lanes = cast<VectorType>(vectors.front().getType()).getNumElements();
  Block &body = payload.get().getBody().front();
  IRMapping mapping;
  mapping.map(body.getArguments(), vectors);
  for (Operation &op : body.without_terminator()) {
    Attribute constant;
    if (matchPattern(&op, m_Constant(&constant))) {
      auto type = VectorType::get(lanes, op.getResult(0).getType());
      mapping.map(op.getResult(0),
                  arith::ConstantOp::create(b, DenseElementsAttr::get(type, constant)));
      continue;
    }
    for (OpResult result : b.clone(op, mapping)->getResults())
      result.setType(VectorType::get(lanes, result.getType()));
  }
  return llvm::map_to_vector(body.getTerminator()->getOperands(),
                             [&](Value value) { return mapping.lookup(value); });
}

SmallVector<Value> Epilogue::buildShared(ImplicitLocOpBuilder &b,
                                         const SquareRow &columns, int64_t lanes,
                                         const Places &places) const {
  SmallVector<Value> shared;
  for (auto [input, spread] : llvm::zip_equal(places.operands.inputs, spreads)) {
    bool isShared = spread == Spread::Feature || spread == Spread::All;
    shared.push_back(isShared ? buildInput(b, input, spread, columns, lanes) : Value());
  }
  return shared;
}

/// Asks for the memory of one row that each of its elements goes from or to.
void Epilogue::buildPrefetch(ImplicitLocOpBuilder &b, Value row, Value column,
                             const Places &places) const {
  for (auto [input, spread] : llvm::zip_equal(places.operands.inputs, spreads))
    if (spread == Spread::Element)
      prefetch(b, input, {row, column});
  for (Value output : places.operands.outputs)
    prefetch(b, output, {row, column}, /*isWrite=*/true);
  if (places.result)
    prefetch(b, places.result, {row, column}, /*isWrite=*/true);
}

void Epilogue::buildRow(ImplicitLocOpBuilder &b, Value y, const SquareRow &row,
                        ArrayRef<Value> shared, const Places &places) const {
  int64_t lanes = cast<VectorType>(y.getType()).getNumElements();
  if (places.result)
    cpu::buildStore(b, places.result, row, y);
  SmallVector<Value> vectors{y};
  for (auto [vector, input, spread] :
       llvm::zip_equal(shared, places.operands.inputs, spreads))
    vectors.push_back(vector ? vector : buildInput(b, input, spread, row, lanes));
  for (auto [output, value] :
       llvm::zip_equal(places.operands.outputs, buildPayload(b, vectors)))
    cpu::buildStore(b, output, row, value);
}

void Epilogue::buildRows(ImplicitLocOpBuilder &b, Value row, Value count, Value column,
                         int64_t columns, int64_t lanes, const Places &places) const {
  auto type = VectorType::get(lanes, payload.get().getArgumentTypes().front());
  buildFor(b, buildIndex(b, 0), count, 1, [&](ImplicitLocOpBuilder &b, Value i) {
    Value token = arith::AddIOp::create(b, row, i);
    buildColumns(
        b, columns, lanes, [&](ImplicitLocOpBuilder &b, Value place, int64_t exist) {
          Value to = arith::AddIOp::create(b, column, place);
          SquareRow at = Square{token, to, exist, lanes, std::nullopt}.buildRow(b, 0);
          SmallVector<Value> shared = buildShared(b, at, lanes, places);
          Value y = vector::LoadOp::create(b, type, places.tile, ValueRange{i, place});
          buildRow(b, y, at, shared, places);
        });
  });
}

void Epilogue::buildUnpack(ImplicitLocOpBuilder &b, Value scratch, Value features,
                           const UnpackedMatrix &matrix, Value panel, Value column,
                           int64_t lanes, const Places &places) const {
  if (!places.tile) {
    auto store = [&](ImplicitLocOpBuilder &b, const Square &square, Value,
                     ArrayRef<Value> rows) {
      Square columns = square;
      columns.rows.reset();
      SmallVector<Value> shared = buildShared(b, columns.buildRow(b, 0), lanes, places);
      for (auto [i, y] : llvm::enumerate(rows))
        buildRow(b, y, square.buildRow(b, i), shared, places);
    };
    return cpu::buildUnpack(b, scratch, features, matrix, panel, column, lanes,
                            {lanes, store});
  }
  auto store = [&](ImplicitLocOpBuilder &b, const Square &square, Value place,
                   ArrayRef<Value> rows) {
    for (auto [i, y] : llvm::enumerate(rows)) {
      vector::StoreOp::create(b, y, places.tile, ValueRange{buildIndex(b, i), place});
      buildPrefetch(b, buildOffset(b, square.row, i), square.column, places);
    }
  };
  auto finish = [&](ImplicitLocOpBuilder &b, const Square &strip) {
    Value count = buildIndex(b, lanes);
    if (strip.rows) {
      Value left = arith::SubIOp::create(b, buildIndex(b, *strip.rows), strip.row);
      count = arith::MinSIOp::create(b, count, left);
    }
    buildRows(b, strip.row, count, strip.column, strip.columns, lanes, places);
  };
  cpu::buildUnpack(b, scratch, features, matrix, panel, column, lanes,
                   {getWidth(lanes), store, finish});
}

void Epilogue::buildStore(ImplicitLocOpBuilder &b, ArrayRef<Value> rows, Value row,
                          int64_t count, Value column, const Places &places) const {
  int64_t lanes = cast<VectorType>(rows.front().getType()).getNumElements();
  int64_t columns = rows.size() / count;
  for (int64_t c = 0; c < columns; ++c) {
    Value to = buildOffset(b, column, c * lanes);
    SmallVector<Value> shared;
    if (!places.tile)
      shared = buildShared(b, {{row, to}, Value()}, lanes, places);
    for (int64_t i = 0; i < count; ++i) {
      Value y = rows[i * columns + c];
      if (places.tile)
        vector::StoreOp::create(b, y, places.tile,
                                ValueRange{buildIndex(b, i), buildIndex(b, c * lanes)});
      else
        buildRow(b, y, {{buildOffset(b, row, i), to}, Value()}, shared, places);
    }
  }
  if (places.tile)
    buildRows(b, row, buildIndex(b, count), column, columns * lanes, lanes, places);
}
