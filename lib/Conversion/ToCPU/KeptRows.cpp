// y = x W with outputs in lanes: where blocks are whole vectors of outputs, their rows
// are vectors as they are stored, x is broadcast from where it lies, and y leaves in
// rows. Nothing is packed or transposed.
#include "KeptShares.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

namespace {

/// Tokens and vectors of outputs whose sums are in registers at once. With one vector
/// each broadcast would serve one multiplication, and loads take longer than these.
constexpr int64_t rows = 6, vectors = 2;
/// Tokens that go by the same values, in tiles.
constexpr int64_t group = 16 * rows;

struct RowKernel {
  const KeptProduct &product;
  const KernelOperands &operands;
  Epilogue::Places places;

  /// y of `count` tokens from `token` on, and of the block's outputs from `offset` on.
  void buildTile(ImplicitLocOpBuilder &b, Value block, const KeptSpan &span, Value token,
                 int64_t count, Value offset) const {
    VectorType type = product.getVectorType();
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
    SmallVector<Value> zeros(count * vectors, zero);
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
          for (int64_t row = 0; row < count; ++row) {
            Value element =
                memref::LoadOp::create(b, operands.panels.front(),
                                       ValueRange{buildOffset(b, token, row), input});
            Value spread = vector::BroadcastOp::create(b, type, element);
            for (Value weight : weights)
              next.push_back(vector::FMAOp::create(b, spread, weight, sums[next.size()]));
          }
          return next;
        });
    Value column =
        arith::AddIOp::create(b, buildScaled(b, block, product.vector), offset);
    if (operands.epilogue)
      return operands.epilogue->buildStore(b, sums, token, count, column, places);
    for (int64_t row = 0; row < count; ++row)
      for (int64_t v = 0; v < vectors; ++v)
        vector::StoreOp::create(b, sums[row * vectors + v], operands.destination,
                                ValueRange{buildOffset(b, token, row),
                                           buildOffset(b, column, v * product.lanes)});
  }

  void buildRowsOfBlocks(ImplicitLocOpBuilder &b, Value first, Value end, Value token,
                         int64_t count) const {
    buildFor(b, first, end, 1, [&](ImplicitLocOpBuilder &b, Value block) {
      auto [begin, last] = product.pattern.buildSpan(b, operands.pattern, block);
      KeptSpan span{begin, last, std::nullopt};
      buildFor(b, product.vector, vectors * product.lanes,
               [&](ImplicitLocOpBuilder &b, Value offset) {
                 buildTile(b, block, span, token, count, offset);
               });
    });
  }
};

} // namespace

bool cpu::repaysRows(const KeptProduct &product) {
  // Tile sizes are those of panels.
  if (!product.given.isEmpty())
    return false;
  // With more registers panels are as good, and rows of so many tokens too many.
  if (!product.hasFewRegisters() || product.vector % (vectors * product.lanes) != 0)
    return false;
  int64_t bytes = product.getBytes(product.pattern.inputs);
  // Rows that are some pages apart share a set.
  return rows * bytes <= product.getNearBytes() && bytes % 4096 != 0;
}

void cpu::buildForwardRows(ImplicitLocOpBuilder &b, const KeptProduct &product,
                           const KernelOperands &operands) {
  int64_t blocks = product.pattern.blocks;
  // Blocks whose values stay in the second-level cache while some tokens go by.
  int64_t bytes = product.getBytes(product.pattern.kept * product.vector);
  int64_t bunch = std::clamp<int64_t>(
      product.target.l2Bytes / 2 / std::max<int64_t>(bytes, 1), 1, blocks);
  int64_t whole = product.tokens / rows * rows;
  int64_t groups = llvm::divideCeil(product.tokens, group);
  Shares shares(product.pattern, llvm::divideCeil(enoughPieces, groups), /*grain=*/1,
                /*ranges=*/1);
  SharedBlocks shared(b, product.pattern, shares, operands.pattern);
  buildParallelPairs(
      b, groups, shares.count, [&](ImplicitLocOpBuilder &b, Value number, Value share) {
        RowKernel kernel{product, operands,
                         buildPlaces(b, operands, rows, vectors * product.lanes)};
        Value first = buildScaled(b, number, group);
        Value last =
            arith::MinUIOp::create(b, buildOffset(b, first, group), buildIndex(b, whole));
        Share span = shared.get(b, share);
        buildFor(
            b, span.begin, span.end, bunch, [&](ImplicitLocOpBuilder &b, Value block) {
              Value end =
                  arith::MinUIOp::create(b, buildOffset(b, block, bunch), span.end);
              buildFor(b, first, last, rows, [&](ImplicitLocOpBuilder &b, Value token) {
                kernel.buildRowsOfBlocks(b, block, end, token, rows);
              });
              if (whole == product.tokens)
                return;
              // The group that has the tokens which fill no tile.
              Value any = arith::CmpIOp::create(b, arith::CmpIPredicate::uge,
                                                buildOffset(b, first, group),
                                                buildIndex(b, product.tokens));
              buildIf(b, any, [&](ImplicitLocOpBuilder &b) {
                kernel.buildRowsOfBlocks(b, block, end, buildIndex(b, whole),
                                         product.tokens - whole);
              });
            });
      });
}
