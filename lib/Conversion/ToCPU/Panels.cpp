#include "sparsam/Conversion/ToCPU/Panels.h"

#include "KernelEffects.h"
#include "Squares.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

int64_t PanelShape::getStride() const {
  // Some lines between panels, or the same rows of all would meet in one set of a cache;
  // several, since kernels read some consecutive rows of each.
  constexpr int64_t padding = 5;
  return features * height + padding * 64 * 8 / element.getIntOrFloatBitWidth();
}

MemRefType PanelShape::getBufferType() const {
  return MemRefType::get({getCount(), getStride()}, element);
}

Value sparsam::viewPanels(ImplicitLocOpBuilder &b, Value buffer,
                          const PanelShape &shape) {
  SmallVector<int64_t> sizes{shape.getCount(), shape.features, shape.height};
  SmallVector<int64_t> strides{shape.getStride(), shape.height, 1};
  auto layout = StridedLayoutAttr::get(b.getContext(), 0, strides);
  auto type = MemRefType::get(sizes, shape.element, layout);
  return memref::ReinterpretCastOp::create(b, type, buffer, 0, sizes, strides);
}

namespace {

SmallVector<Value> buildLoads(ImplicitLocOpBuilder &b, Value matrix,
                              const Square &square) {
  SmallVector<Value> rows;
  for (int64_t i = 0; i < square.lanes; ++i)
    rows.push_back(buildLoad(b, matrix, square.buildRow(b, i), square.lanes));
  return rows;
}

/// Calls `body` with the number of existing rows where the panel may lack some.
void buildByPanel(
    ImplicitLocOpBuilder &b, Value panel, int64_t tokens, int64_t height,
    function_ref<void(ImplicitLocOpBuilder &, std::optional<int64_t>)> body) {
  int64_t whole = tokens / height;
  if (whole * height == tokens)
    return body(b, std::nullopt);
  if (whole == 0)
    return body(b, tokens);
  Value isWhole =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ult, panel, buildIndex(b, whole));
  buildIf(
      b, isWhole, [&](ImplicitLocOpBuilder &b) { body(b, std::nullopt); },
      [&](ImplicitLocOpBuilder &b) { body(b, tokens); });
}

void buildPack(ImplicitLocOpBuilder &b, Value matrix, Value buffer,
               const PanelShape &shape, int64_t lanes) {
  Value panels = viewPanels(b, buffer, shape);
  auto packSquare = [&](ImplicitLocOpBuilder &b, Value panel, Value token,
                        const Square &square) {
    SmallVector<Value> features = buildTranspose(b, buildLoads(b, matrix, square));
    for (int64_t i = 0; i < square.columns; ++i)
      vector::StoreOp::create(b, features[i], panels,
                              ValueRange{panel, buildOffset(b, square.column, i), token});
  };
  buildParallel(b, shape.getCount(), [&](ImplicitLocOpBuilder &b, Value panel) {
    Value first = buildScaled(b, panel, shape.height);
    buildByPanel(
        b, panel, shape.tokens, shape.height,
        [&](ImplicitLocOpBuilder &b, std::optional<int64_t> rows) {
          buildFor(b, shape.height, lanes, [&](ImplicitLocOpBuilder &b, Value token) {
            Value row = arith::AddIOp::create(b, first, token);
            buildColumns(b, shape.features, lanes,
                         [&](ImplicitLocOpBuilder &b, Value column, int64_t columns) {
                           packSquare(b, panel, token,
                                      {row, column, columns, lanes, rows});
                         });
          });
        });
  });
}

} // namespace

Value sparsam::packPanels(RewriterBase &rewriter, Location loc, Value matrix,
                          int64_t height, KernelLibrary &library) {
  auto type = cast<MemRefType>(matrix.getType());
  PanelShape shape{type.getDimSize(0), type.getDimSize(1), height, type.getElementType()};
  KernelLibrary::Filled &known = library.packed[{matrix, height}];
  if (isUpToDate(known, matrix, rewriter, library))
    return known.buffer;

  int64_t lanes = library.target.getLanes(shape.element);
  ImplicitLocOpBuilder b(loc, rewriter);
  Value buffer = memref::AllocOp::create(b, shape.getBufferType(), ValueRange(),
                                         b.getI64IntegerAttr(64));
  func::FuncOp pack =
      library.get("sparsam_pack_" + Twine(height), {type, shape.getBufferType()},
                  [&](ImplicitLocOpBuilder &b, ValueRange arguments) {
                    buildPack(b, arguments[0], arguments[1], shape, lanes);
                  });
  auto call = func::CallOp::create(b, pack, ValueRange{matrix, buffer});
  known = {buffer, call};
  return buffer;
}

void cpu::buildUnpack(ImplicitLocOpBuilder &b, Value scratch, Value features,
                      const UnpackedMatrix &matrix, Value panel, Value column,
                      int64_t lanes, const SquareSink &sink) {
  auto type = cast<MemRefType>(scratch.getType());
  int64_t height = type.getDimSize(1);
  auto vectorType = VectorType::get(lanes, type.getElementType());
  Value first = buildScaled(b, panel, height);
  auto unpackStrip = [&](ImplicitLocOpBuilder &b, Value feature, int64_t width,
                         Value token, std::optional<int64_t> rows) {
    Value row = arith::AddIOp::create(b, first, token);
    auto unpackSquare = [&](ImplicitLocOpBuilder &b, Value place, int64_t columns) {
      Value from = arith::AddIOp::create(b, feature, place);
      SmallVector<Value> vectors;
      for (int64_t i = 0; i < lanes; ++i)
        vectors.push_back(vector::LoadOp::create(
            b, vectorType, scratch, ValueRange{buildOffset(b, from, i), token}));
      Value to = arith::AddIOp::create(b, column, from);
      sink.store(b, {row, to, columns, lanes, rows}, place, buildTranspose(b, vectors));
    };
    buildColumns(b, width, lanes, unpackSquare);
    if (sink.finish)
      sink.finish(b,
                  {row, arith::AddIOp::create(b, column, feature), width, lanes, rows});
  };
  buildByPanel(
      b, panel, matrix.tokens, height,
      [&](ImplicitLocOpBuilder &b, std::optional<int64_t> rows) {
        buildFor(b, height, lanes, [&](ImplicitLocOpBuilder &b, Value token) {
          auto body = [&](ImplicitLocOpBuilder &b, Value feature, int64_t width) {
            unpackStrip(b, feature, width, token, rows);
          };
          if (std::optional<int64_t> known = getConstantIntValue(features))
            buildColumns(b, *known, sink.width, body);
          else
            buildColumns(b, features, matrix.features % lanes, sink.width, lanes, body);
        });
      });
}

void sparsam::buildUnpack(ImplicitLocOpBuilder &b, Value scratch, Value features,
                          Value matrix, Value panel, Value column, int64_t lanes) {
  auto type = cast<MemRefType>(matrix.getType());
  auto store = [&](ImplicitLocOpBuilder &b, const Square &square, Value,
                   ArrayRef<Value> rows) { buildStore(b, matrix, square, rows); };
  cpu::buildUnpack(b, scratch, features, {type.getDimSize(0), type.getDimSize(1)}, panel,
                   column, lanes, {lanes, store});
}
