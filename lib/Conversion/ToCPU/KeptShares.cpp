#include "KeptShares.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

namespace {

/// What it costs to take up a block in a range of inputs, in kept inputs.
constexpr int64_t blockOverhead = 6;

/// A pattern to be cut.
struct Cut {
  const KeptInputs &kept;
  const Shares &shares;
  ValueRange pattern;
  const InputRanges &ranges;

  /// How many kept inputs are stored in front of a block, or in all for the number of
  /// blocks, plus some number that is the same for all.
  Value buildKeptBefore(ImplicitLocOpBuilder &b, Value block) const {
    if (!ranges.order)
      return kept.buildSpan(b, pattern, block).first;
    // Each range has its own.
    auto type = cast<MemRefType>(ranges.bounds.getType());
    auto sums = buildFor(
        b, buildIndex(b, 0), buildIndex(b, type.getDimSize(0)), 1, buildIndex(b, 0),
        [&](ImplicitLocOpBuilder &b, Value range, ValueRange sum) {
          Value start = buildIndexLoad(b, ranges.bounds, {range, block});
          return SmallVector<Value>{arith::AddIOp::create(b, sum[0], start)};
        });
    return sums.front();
  }

  Value buildKeptBeforeEnd(ImplicitLocOpBuilder &b) const {
    if (!ranges.order)
      return kept.buildSpan(b, pattern, buildIndex(b, kept.blocks - 1)).second;
    return buildKeptBefore(b, buildIndex(b, kept.blocks));
  }

  Value buildWork(ImplicitLocOpBuilder &b, Value kept, Value blocks) const {
    return arith::AddIOp::create(b, kept, buildScaled(b, blocks, shares.overhead));
  }

  /// Of all, `share` parts of as many as there are shares.
  Value buildPart(ImplicitLocOpBuilder &b, Value all, Value share) const {
    Value product = arith::MulIOp::create(b, all, share);
    return arith::DivUIOp::create(b, product, buildIndex(b, shares.count));
  }

  int64_t getGrains() const { return llvm::divideCeil(kept.blocks, shares.grain); }

  Value buildBlock(ImplicitLocOpBuilder &b, Value grain) const {
    return arith::MinUIOp::create(b, buildScaled(b, grain, shares.grain),
                                  buildIndex(b, kept.blocks));
  }

  /// The first block of each share, and the number of blocks.
  Value buildStarts(ImplicitLocOpBuilder &b) const {
    Value starts =
        memref::AllocaOp::create(b, MemRefType::get(shares.count + 1, b.getIndexType()));
    Value none = buildKeptBefore(b, buildIndex(b, 0));
    Value some = arith::SubIOp::create(b, buildKeptBeforeEnd(b), none);
    Value all = buildWork(b, some, buildIndex(b, kept.blocks));
    buildFor(b, shares.count + 1, 1, [&](ImplicitLocOpBuilder &b, Value share) {
      Value part = arith::AddIOp::create(b, none, buildPart(b, all, share));
      Value grain =
          buildLowerBound(b, buildIndex(b, 0), buildIndex(b, getGrains()), part,
                          [&](ImplicitLocOpBuilder &b, Value grain) {
                            Value block = buildScaled(b, grain, shares.grain);
                            return buildWork(b, buildKeptBefore(b, block), block);
                          });
      memref::StoreOp::create(b, buildBlock(b, grain), starts, share);
    });
    return starts;
  }
};

} // namespace

Shares::Shares(const KeptInputs &kept, int64_t least, int64_t grain, int64_t ranges)
    : count(least > 1 ? llvm::alignTo(least, 2) : 1), grain(grain),
      overhead(blockOverhead * ranges) {
  int64_t grains = llvm::divideCeil(kept.blocks, grain);
  count = std::max<int64_t>(1, std::min(count, grains));
}

SharedBlocks::SharedBlocks(ImplicitLocOpBuilder &b, const KeptInputs &kept,
                           const Shares &shares, ValueRange pattern,
                           const InputRanges &ranges)
    : kept(kept), shares(shares) {
  if (kept.ragged && shares.count > 1)
    starts = Cut{kept, shares, pattern, ranges}.buildStarts(b);
}

Share SharedBlocks::get(ImplicitLocOpBuilder &b, Value share) const {
  if (shares.count == 1)
    return {buildIndex(b, 0), buildIndex(b, kept.blocks)};
  Value next = buildOffset(b, share, 1);
  if (starts)
    return {memref::LoadOp::create(b, starts, share),
            memref::LoadOp::create(b, starts, next)};
  Cut cut{kept, shares, {}, {}};
  auto buildFirst = [&](Value share) {
    return cut.buildBlock(b, cut.buildPart(b, buildIndex(b, cut.getGrains()), share));
  };
  return {buildFirst(share), buildFirst(next)};
}

void cpu::buildParallelPairs(
    ImplicitLocOpBuilder &b, int64_t first, int64_t second,
    function_ref<void(ImplicitLocOpBuilder &, Value, Value)> body) {
  buildParallel(b, first * second, [&](ImplicitLocOpBuilder &b, Value pair) {
    if (second == 1)
      return body(b, pair, buildIndex(b, 0));
    if (first == 1)
      return body(b, buildIndex(b, 0), pair);
    Value size = buildIndex(b, second);
    Value row = arith::DivUIOp::create(b, pair, size);
    body(b, row, arith::RemUIOp::create(b, pair, size));
  });
}
