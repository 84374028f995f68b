// y = x W with outputs in lanes: where blocks are whole pairs of vectors of outputs,
// their rows are vectors as they are stored, x is broadcast, and y leaves in rows, not
// transposed. With few registers x is broadcast from where it lies; with many, from the
// panels that its gradient reads, too.
#include "KeptShares.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

namespace {

/// Vectors of outputs whose sums are in registers at once. With one each broadcast would
/// serve one multiplication, and loads take longer than these.
constexpr int64_t vectors = 2;
/// Tokens beside them, with few registers and with many.
constexpr int64_t rows = 6, rowsOfMany = 12;
/// Tokens that go by the same values, in tiles.
constexpr int64_t group = 16 * rows;

/// `count` tokens from `token` on: of x as it is, or from place `place` of a panel on.
struct TokenTile {
  Value token;
  int64_t count;
  Value panel = nullptr;
  int64_t place = 0;
};

struct RowKernel {
  const KeptProduct &product;
  const KernelOperands &operands;
  /// As it is, or in panels.
  Value x;
  Epilogue::Places places;

  Value loadElement(ImplicitLocOpBuilder &b, const TokenTile &tile, int64_t row,
                    Value input) const {
    if (!tile.panel)
      return memref::LoadOp::create(b, x,
                                    ValueRange{buildOffset(b, tile.token, row), input});
    Value place = buildIndex(b, tile.place + row);
    return memref::LoadOp::create(b, x, ValueRange{tile.panel, input, place});
  }

  /// y of the tile's tokens, and of the block's outputs from `offset` on.
  void buildTile(ImplicitLocOpBuilder &b, Value block, const KeptSpan &span,
                 const TokenTile &tile, Value offset) const {
    VectorType type = product.getVectorType();
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
    SmallVector<Value> zeros(tile.count * vectors, zero);
    SmallVector<Value> sums = buildKept(
        b, product, operands.pattern, block, span, zeros,
        [&](ImplicitLocOpBuilder &b, Value number, Value input, ValueRange sums) {
          Value first = product.pattern.buildValues(b, block, number);
          first = arith::AddIOp::create(b, first, offset);
          SmallVector<Value> weights;
          for (int64_t v = 0; v < vectors; ++v)
            weights.push_back(vector::LoadOp::create(
                b, type, operands.values, buildOffset(b, first, v * product.lanes)));
          SmallVector<Value> next;
          for (int64_t row = 0; row < tile.count; ++row) {
            Value spread =
                vector::BroadcastOp::create(b, type, loadElement(b, tile, row, input));
            for (Value weight : weights)
              next.push_back(vector::FMAOp::create(b, spread, weight, sums[next.size()]));
          }
          return next;
        });
    Value column =
        arith::AddIOp::create(b, buildScaled(b, block, product.vector), offset);
    if (operands.epilogue)
      return operands.epilogue->buildStore(b, sums, tile.token, tile.count, column,
                                           places);
    for (int64_t row = 0; row < tile.count; ++row)
      for (int64_t v = 0; v < vectors; ++v)
        vector::StoreOp::create(b, sums[row * vectors + v], operands.destination,
                                ValueRange{buildOffset(b, tile.token, row),
                                           buildOffset(b, column, v * product.lanes)});
  }

  /// y of the tile's tokens, and of the outputs of the blocks from `first` up to `end`.
  void buildBlocks(ImplicitLocOpBuilder &b, Value first, Value end,
                   const TokenTile &tile) const {
    buildFor(b, first, end, 1, [&](ImplicitLocOpBuilder &b, Value block) {
      auto [begin, last] = product.pattern.buildSpan(b, operands.pattern, block);
      KeptSpan span{begin, last, std::nullopt};
      buildFor(b, product.vector, vectors * product.lanes,
               [&](ImplicitLocOpBuilder &b, Value offset) {
                 buildTile(b, block, span, tile, offset);
               });
    });
  }

  /// The same for the `count` tokens that a panel has from `token` on, in tiles of about
  /// one size. Values pass by x, of which a tile stays in the first-level cache.
  void buildPanel(ImplicitLocOpBuilder &b, Value first, Value end, Value token,
                  int64_t count) const {
    Value panel = arith::DivUIOp::create(b, token, buildIndex(b, product.getHeight()));
    int64_t tiles = llvm::divideCeil(count, rowsOfMany);
    for (int64_t i = 0; i < tiles; ++i) {
      int64_t place = count * i / tiles, next = count * (i + 1) / tiles;
      buildBlocks(b, first, end,
                  {buildOffset(b, token, place), next - place, panel, place});
    }
  }
};

/// Whether blocks are whole pairs of vectors; tile sizes that are given are those of
/// tokens in lanes.
bool haveRows(const KeptProduct &product) {
  return product.given.isEmpty() && product.vector % (vectors * product.lanes) == 0;
}

/// Calls `body`, in parallel for groups of tokens and shares of the blocks, for each
/// `height` tokens from the first on, and for those that are left, with the bunch of
/// blocks whose values stay in the second-level cache while a group goes by. Threads take
/// consecutive pairs: shares, which are equal, come first, since the last group may be a
/// short one.
void buildGroups(ImplicitLocOpBuilder &b, const KeptProduct &product,
                 const KernelOperands &operands, Value x, int64_t tallest, int64_t height,
                 function_ref<void(ImplicitLocOpBuilder &, const RowKernel &, Value first,
                                   Value end, Value token, int64_t count)>
                     body) {
  int64_t bytes = product.getBytes(product.pattern.kept * product.vector);
  int64_t bunch =
      std::clamp<int64_t>(product.target.l2Bytes / 2 / std::max<int64_t>(bytes, 1), 1,
                          product.pattern.blocks);
  int64_t size = std::max<int64_t>(height, llvm::alignDown(group, height));
  int64_t whole = llvm::alignDown(product.tokens, height);
  int64_t groups = llvm::divideCeil(product.tokens, size);
  Shares shares(product.pattern, llvm::divideCeil(enoughPieces, groups), /*grain=*/1,
                /*ranges=*/1);
  SharedBlocks shared(b, product.pattern, shares, operands.pattern);
  buildParallelPairs(
      b, shares.count, groups, [&](ImplicitLocOpBuilder &b, Value share, Value number) {
        RowKernel kernel{product, operands, x,
                         buildPlaces(b, operands, tallest, vectors * product.lanes)};
        Share span = shared.get(b, share);
        Value first = buildScaled(b, number, size);
        Value next = buildOffset(b, first, size);
        Value last = arith::MinUIOp::create(b, next, buildIndex(b, whole));
        buildFor(
            b, span.begin, span.end, bunch, [&](ImplicitLocOpBuilder &b, Value block) {
              Value end =
                  arith::MinUIOp::create(b, buildOffset(b, block, bunch), span.end);
              buildFor(b, first, last, height, [&](ImplicitLocOpBuilder &b, Value token) {
                body(b, kernel, block, end, token, height);
              });
              if (whole == product.tokens)
                return;
              // The last group has the tokens that are left.
              Value any = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, next,
                                                buildIndex(b, product.tokens));
              buildIf(b, any, [&](ImplicitLocOpBuilder &b) {
                body(b, kernel, block, end, buildIndex(b, whole), product.tokens - whole);
              });
            });
      });
}

} // namespace

bool cpu::repaysRows(const KeptProduct &product) {
  // With more registers rows of so many tokens are too many.
  if (!product.hasFewRegisters() || !haveRows(product))
    return false;
  int64_t bytes = product.getBytes(product.pattern.inputs);
  // Rows that are some pages apart share a set.
  return rows * bytes <= product.getNearBytes() && bytes % 4096 != 0;
}

bool cpu::repaysRowsOfPanels(const KeptProduct &product) {
  // Where loads are not the limit tokens in lanes are as good. Runs of inputs are where
  // hardware looks for the next ones, while single ones come late from a panel of many.
  if (!product.isLimitedByLoads() || !haveRows(product) || product.getAtOnce() == 1)
    return false;
  // All inputs of a panel pass for each bunch of blocks, beside the values.
  int64_t bytes = product.getBytes(product.pattern.inputs * product.getHeight());
  return bytes < product.target.l2Bytes / 2;
}

void cpu::buildForwardRows(ImplicitLocOpBuilder &b, const KeptProduct &product,
                           const KernelOperands &operands) {
  buildGroups(b, product, operands, operands.panels.front(), rows, rows,
              [&](ImplicitLocOpBuilder &b, const RowKernel &kernel, Value first,
                  Value end, Value token,
                  int64_t count) { kernel.buildBlocks(b, first, end, {token, count}); });
}

void cpu::buildForwardRowsOfPanels(ImplicitLocOpBuilder &b, const KeptProduct &product,
                                   const KernelOperands &operands) {
  Value x = viewPanels(b, operands.panels.front(), product.getInputPanels());
  buildGroups(b, product, operands, x, rowsOfMany, product.getHeight(),
              [&](ImplicitLocOpBuilder &b, const RowKernel &kernel, Value first,
                  Value end, Value token,
                  int64_t count) { kernel.buildPanel(b, first, end, token, count); });
}
