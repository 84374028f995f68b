// y = x W and dx = dy W^T from the same storage: one gathers rows of its panel, the
// other adds to them.
#include "KeptShares.h"

#include <numeric>

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

namespace {

/// Kept inputs ahead of which a row of the panel is fetched: the latency of the
/// third-level cache, where a panel's rows are when they are first used.
constexpr int64_t ahead = 32;

/// Blocks ahead of which the values and indices of a range are fetched, where hardware
/// does not find them: in storage order they are short pieces, one a block.
constexpr int64_t blocksAhead = 4;
/// Bytes of such a piece up to which it is short.
constexpr int64_t shortBytes = 512;

/// Whether as much passes by a panel in the first-level cache as makes a smaller panel
/// worth taking up each block more often.
bool isMuchKept(const KeptProduct &product) {
  constexpr int64_t much = 48;
  int64_t rows = product.target.l1Bytes / product.getBytes(product.getHeight());
  return product.isLimitedByLoads() &&
         rows * product.pattern.kept >= much * product.pattern.inputs;
}

/// Bytes of the panel that blocks gather from, while it stays in a cache: in the first
/// where a row of it is used little or many are. Elsewhere rows are fetched ahead, and
/// smaller ranges would only cut each block's values, which are contiguous over all
/// inputs, into pieces too short to prefetch.
int64_t getGatherBytes(const KeptProduct &product) {
  if (product.isLoadBound())
    return isMuchKept(product) ? product.target.l1Bytes / 4 * 3 : product.target.l1Bytes;
  return product.isNear ? product.getNearBytes() : product.target.l2Bytes / 2;
}
/// Bytes of dx that blocks add to meanwhile; they are on the stack.
int64_t getScatterBytes(const KeptProduct &product) {
  if (product.isLoadBound())
    return product.isLimitedByLoads() ? product.target.l1Bytes
                                      : product.target.l2Bytes / 16;
  if (product.isNear || (product.isLimitedByLoads() && product.partSize <= 4))
    return product.getNearBytes();
  return product.hasFewRegisters() ? product.target.l1Bytes / 4 * 5
                                   : product.target.l2Bytes / 32 * 5;
}
/// Bytes of outputs on the stack that several ranges of inputs add up in.
int64_t getPartialBytes(const KeptProduct &product) {
  return std::min(product.target.l2Bytes / 8, mostStackBytes);
}

/// Kept inputs of a block in a range that is there for threads to share.
constexpr int64_t keptOfSharedRange = 96;

Value createScratch(ImplicitLocOpBuilder &b, const KeptProduct &product, int64_t rows) {
  auto type =
      MemRefType::get({int64_t(llvm::alignTo(rows, product.lanes)), product.getHeight()},
                      product.element);
  return memref::AllocaOp::create(b, type, b.getI64IntegerAttr(64));
}

Value getZeros(ImplicitLocOpBuilder &b, const KeptProduct &product) {
  return arith::ConstantOp::create(b, b.getZeroAttr(product.getVectorType()));
}

Epilogue::Places buildStripPlaces(ImplicitLocOpBuilder &b, const KeptProduct &product,
                                  const KernelOperands &operands) {
  int64_t lanes = product.lanes;
  return cpu::buildPlaces(b, operands, lanes,
                          operands.epilogue ? operands.epilogue->getWidth(lanes) : lanes);
}

/// Hands what is in the scratch, of so many `features` out of `all`, to the epilogue or,
/// without one, to the destination.
void storeResult(ImplicitLocOpBuilder &b, const KeptProduct &product,
                 const KernelOperands &operands, Value scratch,
                 const Epilogue::Places &places, Value features, int64_t all, Value panel,
                 Value column) {
  if (operands.epilogue)
    return operands.epilogue->buildUnpack(b, scratch, features, {product.tokens, all},
                                          panel, column, product.lanes, places);
  buildUnpack(b, scratch, features, operands.destination, panel, column, product.lanes);
}

void storeTokens(ImplicitLocOpBuilder &b, const KeptProduct &product,
                 ArrayRef<Value> vectors, Value memref, ValueRange row) {
  for (auto [r, value] : llvm::enumerate(vectors)) {
    SmallVector<Value> at(row);
    at.push_back(buildIndex(b, r * product.lanes));
    vector::StoreOp::create(b, value, memref, at);
  }
}

void fillZeros(ImplicitLocOpBuilder &b, const KeptProduct &product, Value scratch,
               Value rows) {
  buildFor(b, buildIndex(b, 0), rows, 1, [&](ImplicitLocOpBuilder &b, Value row) {
    SmallVector<Value> zeros(product.tokenVectors, getZeros(b, product));
    storeTokens(b, product, zeros, scratch, row);
  });
}

/// Fetches about `count` elements from `first` on, which is one of them.
void prefetchRow(ImplicitLocOpBuilder &b, Value memref, Value first, int64_t count) {
  auto type = cast<MemRefType>(memref.getType());
  int64_t perLine = 64 * 8 / type.getElementTypeBitWidth();
  Value last = buildIndex(b, std::max<int64_t>(type.getNumElements(), 1) - 1);
  for (int64_t i = 0; i < count; i += perLine) {
    Value at = arith::MinUIOp::create(b, buildOffset(b, first, i), last);
    prefetch(b, memref, at);
  }
}

/// Fetches the values and indices of a later block in the range of `units` units from
/// `firstUnit` on, unless they are long enough for hardware to see them come.
void prefetchPiece(ImplicitLocOpBuilder &b, const KeptProduct &product,
                   const KernelOperands &operands, Value block, Value firstUnit,
                   int64_t units) {
  const KeptInputs &kept = product.pattern;
  int64_t count = llvm::divideCeil(kept.kept * units, product.units);
  if (product.getBytes(count * product.vector) > shortBytes)
    return;
  Value later = arith::MinUIOp::create(b, buildOffset(b, block, blocksAhead),
                                       buildIndex(b, kept.blocks - 1));
  Value first =
      buildSpan(b, product, operands.ranges, operands.pattern, later, firstUnit, units)
          .begin;
  prefetchRow(b, operands.values, kept.buildValues(b, later, first),
              count * product.vector);
  Value run = arith::DivUIOp::create(b, first, buildIndex(b, kept.run));
  prefetchRow(b, operands.pattern.back(), run, llvm::divideCeil(count, kept.run));
}

Value loadWeight(ImplicitLocOpBuilder &b, const KeptProduct &product, Value values,
                 Value block, Value number, Part part, int64_t place) {
  Value first = product.pattern.buildValues(b, block, number);
  Value at = buildOffset(b, arith::AddIOp::create(b, first, part.offset), place);
  Value weight = memref::LoadOp::create(b, values, at);
  return vector::BroadcastOp::create(b, product.getVectorType(), weight);
}

/// Adds a block's kept inputs to part x tokenVectors accumulators. The panel's rows are
/// fetched for those that follow `fetch` later, if there is such a number.
SmallVector<Value> buildGather(ImplicitLocOpBuilder &b, const KeptProduct &product,
                               const KernelOperands &operands, Value panels, Value panel,
                               Value block, Part part, const KeptSpan &span, Value fetch,
                               ValueRange sums) {
  int64_t size = sums.size(), sets = product.getSumSets(part.size);
  auto carried = llvm::to_vector_of<Value>(sums);
  carried.append((sets - 1) * size, getZeros(b, product));
  carried = buildKeptInTurn(
      b, product, operands.pattern, block, span, carried, sets,
      [&](ImplicitLocOpBuilder &b, Value number, Value input, int64_t set,
          ValueRange carried) {
        if (fetch) {
          Value later = arith::AddIOp::create(b, number, fetch);
          prefetchTokens(
              b, product, panels,
              {panel, product.pattern.buildInput(b, operands.pattern, block, later)});
        }
        SmallVector<Value> x = loadTokens(b, product, panels, {panel, input});
        auto next = llvm::to_vector_of<Value>(carried);
        auto *sum = next.begin() + set * size;
        for (int64_t v = 0; v < part.size; ++v) {
          Value weight = loadWeight(b, product, operands.values, block, number, part, v);
          for (int64_t r = 0; r < product.tokenVectors; ++r, ++sum)
            *sum = vector::FMAOp::create(b, weight, x[r], *sum);
        }
        return next;
      });
  for (int64_t i = size; i < sets * size; ++i)
    carried[i % size] = arith::AddFOp::create(b, carried[i % size], carried[i]);
  carried.truncate(size);
  return carried;
}

/// Adds the part's outputs into the rows of dx that they keep, in memory; its first row
/// is that of input `firstInput`.
void buildScatter(ImplicitLocOpBuilder &b, const KeptProduct &product,
                  const KernelOperands &operands, Value panels, Value dx, Value panel,
                  Value block, Part part, const KeptSpan &span, Value firstInput) {
  SmallVector<SmallVector<Value>> dy;
  for (int64_t v = 0; v < part.size; ++v) {
    Value output = buildPlace(b, product, block, part, v);
    dy.push_back(loadTokens(b, product, panels, {panel, output}));
  }
  buildKept(b, product, operands.pattern, block, span, {},
            [&](ImplicitLocOpBuilder &b, Value number, Value input, ValueRange) {
              Value row = arith::SubIOp::create(b, input, firstInput);
              SmallVector<Value> sums = loadTokens(b, product, dx, row);
              for (int64_t v = 0; v < part.size; ++v) {
                Value weight =
                    loadWeight(b, product, operands.values, block, number, part, v);
                for (int64_t r = 0; r < product.tokenVectors; ++r)
                  sums[r] = vector::FMAOp::create(b, weight, dy[v][r], sums[r]);
              }
              storeTokens(b, product, sums, dx, row);
              return SmallVector<Value>();
            });
}

/// Blocks whose outputs are whole squares to transpose.
int64_t getSquareBlocks(const KeptProduct &product) {
  return product.lanes / std::gcd(product.vector, product.lanes);
}

/// Calls `body` for the first and the number of blocks of equal pieces of [begin, end),
/// of at most `most`, in multiples of `grain`.
void buildEqualPieces(ImplicitLocOpBuilder &b, Value begin, Value end, int64_t most,
                      int64_t grain,
                      function_ref<void(ImplicitLocOpBuilder &, Value, Value)> body) {
  Value left = arith::SubIOp::create(b, end, begin);
  Value pieces = arith::CeilDivUIOp::create(b, left, buildIndex(b, most));
  buildFor(b, buildIndex(b, 0), pieces, 1, [&](ImplicitLocOpBuilder &b, Value piece) {
    Value grains = arith::CeilDivUIOp::create(b, left, buildIndex(b, grain));
    auto getFirst = [&](Value piece) -> Value {
      Value part =
          arith::DivUIOp::create(b, arith::MulIOp::create(b, grains, piece), pieces);
      Value first = arith::AddIOp::create(b, begin, buildScaled(b, part, grain));
      return arith::MinUIOp::create(b, first, end);
    };
    Value first = getFirst(piece), next = getFirst(buildOffset(b, piece, 1));
    body(b, first, arith::SubIOp::create(b, next, first));
  });
}

} // namespace

int64_t cpu::getForwardUnits(const KeptProduct &product) {
  return product.getUnitsWithin(getGatherBytes(product), product.getHeight());
}

int64_t cpu::getForwardBunch(const KeptProduct &product, int64_t units) {
  int64_t bunch = getSquareBlocks(product);
  // Where the inputs are cut into ranges, as many as amortise fetching a range.
  if (units < product.units)
    bunch *= std::max<int64_t>(
        1, getPartialBytes(product) /
               product.getBytes(bunch * product.vector * product.getHeight()));
  return std::min(bunch, product.pattern.blocks);
}

int64_t cpu::getTransposedUnits(const KeptProduct &product) {
  // A piece of a block that is added to narrow panels is soon over.
  int64_t least = product.hasFewRegisters() && !product.isNear ? 128
                  : product.isLimitedByLoads()                 ? 48
                                                               : 24;
  int64_t size = product.getUnitsWithin(
      std::min(getScatterBytes(product), mostStackBytes), product.getHeight(), least);
  if (product.getOutputPanels().getCount() > 1)
    return size;
  // Threads share the ranges of a single panel: more of them, where taking up a block
  // once more costs next to nothing, and otherwise equally many for two threads.
  int64_t ranges = llvm::divideCeil(product.units, size);
  if (!product.isLoadBound())
    ranges =
        std::max(ranges, std::min(enoughPieces, product.pattern.kept /
                                                    std::max(least, keptOfSharedRange)));
  return product.getUnitsOfRanges(ranges > 1 ? llvm::alignDown(ranges, 2) : 1);
}

void cpu::buildForward(ImplicitLocOpBuilder &b, const KeptProduct &product,
                       const KernelOperands &operands) {
  PanelShape shape = product.getInputPanels();
  Value panels = viewPanels(b, operands.panels.front(), shape);
  int64_t blocks = product.pattern.blocks;
  int64_t size = operands.ranges.units, bunch = getForwardBunch(product, size);
  bool inRanges = size < product.units;
  // Sorted ranges have an order for each bunch.
  if (operands.epilogue && !operands.ranges.order) {
    int64_t columns = bunch * product.vector;
    bunch *= llvm::divideCeil(operands.epilogue->getWidth(product.lanes), columns);
    bunch = std::min(bunch, blocks);
  }
  bool fetches = !product.isLoadBound() &&
                 product.getBytes(size * product.pattern.unit * product.getHeight()) >
                     product.getNearBytes();

  auto buildBlock = [&](ImplicitLocOpBuilder &b, Value panel, Value block, Value output,
                        Value firstUnit, int64_t units, Value scratch) {
    KeptSpan span =
        buildSpan(b, product, operands.ranges, operands.pattern, block, firstUnit, units);
    // Sorted entries are one stream.
    if (inRanges && product.isLoadBound() && !operands.ranges.order)
      prefetchPiece(b, product, operands, block, firstUnit, units);
    Value fetch;
    if (fetches) {
      // The next blocks' kept inputs follow on this one's, while there are any.
      Value exist = arith::CmpIOp::create(
          b, arith::CmpIPredicate::ule, buildOffset(b, span.end, ahead),
          buildIndex(b, getKeptOfAll(product, operands.values)));
      fetch = arith::SelectOp::create(b, exist, buildIndex(b, ahead), buildIndex(b, 0));
    }
    buildParts(b, product, [&](ImplicitLocOpBuilder &b, Part part) {
      auto getRow = [&](int64_t v) {
        return buildOffset(b, arith::AddIOp::create(b, output, part.offset), v);
      };
      SmallVector<Value> sums;
      for (int64_t v = 0; v < part.size; ++v)
        if (inRanges)
          llvm::append_range(sums, loadTokens(b, product, scratch, getRow(v)));
        else
          sums.append(product.tokenVectors, getZeros(b, product));
      sums = buildGather(b, product, operands, panels, panel, block, part, span, fetch,
                         sums);
      for (int64_t v = 0; v < part.size; ++v)
        storeTokens(b, product,
                    ArrayRef(sums).slice(v * product.tokenVectors, product.tokenVectors),
                    scratch, getRow(v));
    });
  };
  auto buildBunch = [&](ImplicitLocOpBuilder &b, Value panel, Value first, Value count,
                        Value scratch, const Epilogue::Places &places) {
    auto known = getConstantIntValue(count);
    Value rows = known ? buildIndex(b, *known * product.vector)
                       : buildScaled(b, count, product.vector);
    if (inRanges)
      fillZeros(b, product, scratch, rows);
    buildRanges(
        b, product.units, size,
        [&](ImplicitLocOpBuilder &b, Value firstUnit, int64_t units) {
          buildFor(b, buildIndex(b, 0), count, 1, [&](ImplicitLocOpBuilder &b, Value i) {
            Value block = arith::AddIOp::create(b, first, i);
            if (Value order = operands.ranges.order) {
              Value range = arith::DivUIOp::create(b, firstUnit, buildIndex(b, size));
              Value row = buildIndexLoad(b, order, {range, block});
              i = arith::SubIOp::create(b, row, first);
            }
            Value output = buildScaled(b, i, product.vector);
            buildBlock(b, panel, block, output, firstUnit, units, scratch);
          });
        });
    storeResult(b, product, operands, scratch, places, rows, blocks * product.vector,
                panel, buildScaled(b, first, product.vector));
  };
  // As many shares as there are bunches at most: threads fetch no range more often.
  int64_t wanted = llvm::divideCeil(enoughPieces, shape.getCount());
  // The order of a range's blocks holds in whole bunches.
  bool inOrder = static_cast<bool>(operands.ranges.order), equal = inRanges && !inOrder;
  int64_t grain = equal ? getSquareBlocks(product) : bunch;
  Shares shares(product.pattern,
                std::min(wanted, int64_t(llvm::divideCeil(blocks, bunch))), grain,
                llvm::divideCeil(product.units, size));
  if (shares.count == 1)
    return buildParallel(b, shape.getCount(), [&](ImplicitLocOpBuilder &b, Value panel) {
      Value scratch = createScratch(b, product, bunch * product.vector);
      Epilogue::Places places = buildStripPlaces(b, product, operands);
      buildRanges(b, blocks, bunch,
                  [&](ImplicitLocOpBuilder &b, Value first, int64_t count) {
                    buildBunch(b, panel, first, buildIndex(b, count), scratch, places);
                  });
    });
  SharedBlocks shared(b, product.pattern, shares, operands.pattern, operands.ranges);
  // A share may have a little more than whole bunches.
  int64_t most = equal ? llvm::alignTo(bunch + bunch / 4, grain) : bunch;
  buildParallelPairs(
      b, shape.getCount(), shares.count,
      [&](ImplicitLocOpBuilder &b, Value panel, Value share) {
        Value scratch = createScratch(b, product, most * product.vector);
        Epilogue::Places places = buildStripPlaces(b, product, operands);
        Share span = shared.get(b, share);
        auto body = [&](ImplicitLocOpBuilder &b, Value first, Value count) {
          buildBunch(b, panel, first, count, scratch, places);
        };
        if (equal)
          return buildEqualPieces(b, span.begin, span.end, most, grain, body);
        buildFor(b, span.begin, span.end, bunch,
                 [&](ImplicitLocOpBuilder &b, Value first) {
                   Value count = buildIndex(b, bunch);
                   if (blocks % bunch)
                     count = arith::MinUIOp::create(
                         b, count, arith::SubIOp::create(b, span.end, first));
                   body(b, first, count);
                 });
      });
}

void cpu::buildTransposed(ImplicitLocOpBuilder &b, const KeptProduct &product,
                          const KernelOperands &operands) {
  PanelShape shape = product.getOutputPanels();
  Value panels = viewPanels(b, operands.panels.front(), shape);
  int64_t size = operands.ranges.units, unit = product.pattern.unit;
  auto buildInputs = [&](ImplicitLocOpBuilder &b, Value panel, Value scratch,
                         const Epilogue::Places &places, Value first, int64_t units) {
    Value firstInput = buildScaled(b, first, unit);
    fillZeros(b, product, scratch, buildIndex(b, units * unit));
    buildFor(b, product.pattern.blocks, 1, [&](ImplicitLocOpBuilder &b, Value block) {
      KeptSpan span =
          buildSpan(b, product, operands.ranges, operands.pattern, block, first, units);
      buildParts(b, product, [&](ImplicitLocOpBuilder &b, Part part) {
        buildScatter(b, product, operands, panels, scratch, panel, block, part, span,
                     firstInput);
      });
    });
    storeResult(b, product, operands, scratch, places, buildIndex(b, units * unit),
                product.pattern.inputs, panel, firstInput);
  };
  // Threads share a panel's ranges where there are few panels.
  int64_t ranges = llvm::divideCeil(product.units, size);
  int64_t parts = shape.getCount() < enoughPieces ? ranges : 1;
  buildParallelPairs(
      b, shape.getCount(), parts, [&](ImplicitLocOpBuilder &b, Value panel, Value part) {
        Value scratch = createScratch(b, product, size * unit);
        Epilogue::Places places = buildStripPlaces(b, product, operands);
        auto body = [&](ImplicitLocOpBuilder &b, Value first, int64_t units) {
          buildInputs(b, panel, scratch, places, first, units);
        };
        if (parts == 1)
          buildRanges(b, product.units, size, body);
        else
          buildRange(b, product.units, size, part, body);
      });
}
