// The gradient of the values: for each kept input and output, the sum over tokens of
// x * dy. Lanes and registers hold partial sums over tokens, added up at the end of
// each chunk of tokens.
#include "KeptShares.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

namespace {

/// Tokens between two sums over lanes, about: dy of a part and x of a tile stay in the
/// first-level cache.
constexpr int64_t chunkTokens = 256, loadBoundTokens = 64;
/// Blocks that a thread takes at once where they are load-bound, on average, or, for the
/// sake of more pieces of work, at least; otherwise one.
constexpr int64_t loadBoundBlocks = 256, leastLoadBoundBlocks = 64;

/// Panels of a chunk of tokens.
int64_t getChunk(const KeptProduct &product) {
  // Single outputs keep the panel's dy in registers.
  if (product.vector == 1)
    return 1;
  int64_t panels = product.getInputPanels().getCount();
  if (std::optional<int64_t> chunk = product.given.chunk)
    return std::max<int64_t>(
        1, std::min<int64_t>(llvm::divideCeil(*chunk, product.getHeight()), panels));
  int64_t tokens = product.isLoadBound() ? loadBoundTokens : chunkTokens;
  // Equal chunks, so that none ends in sums of a few tokens.
  int64_t chunks = std::max<int64_t>(1, (product.tokens + tokens / 2) / tokens);
  return std::max<int64_t>(1, llvm::divideCeil(panels, chunks));
}

/// Outputs of a block, in whole parts, whose dy of a chunk takes at most half of the
/// first-level cache.
int64_t getGroup(const KeptProduct &product) {
  int64_t tokens = getChunk(product) * product.getHeight();
  int64_t parts =
      product.target.l1Bytes / 2 / product.getBytes(tokens * product.partSize);
  return product.partSize * std::max<int64_t>(1, parts);
}

struct Gradient {
  const KeptProduct &product;
  const KernelOperands &operands;
  Value x, dy;
  /// The chunk's first panel and its end, and whether it is the first chunk.
  Value begin, end, isFirst;

  /// Fetches what the next block reads of dy in `panel`, some lines in each tile: they
  /// are far from those of the panel before, where hardware does not look.
  void buildPrefetch(ImplicitLocOpBuilder &b, Value block, Part part, Value panel,
                     Value tile) const {
    int64_t width = 64 / product.getBytes(1), height = product.getHeight();
    int64_t lines = llvm::divideCeil(part.size * height, width);
    int64_t tiles = std::max<int64_t>(1, product.pattern.kept * operands.ranges.units /
                                             product.units / product.jobs);
    int64_t each = llvm::divideCeil(lines, tiles);
    Value first = buildPlace(b, product, buildOffset(b, block, 1), part, 0);
    first = arith::MinUIOp::create(
        b, first, buildIndex(b, product.pattern.blocks * product.vector - 1));
    Value line = arith::MinUIOp::create(
        b, buildScaled(b, tile, each), buildIndex(b, std::max<int64_t>(0, lines - each)));
    for (int64_t i = 0; i < each; ++i) {
      Value at = buildScaled(b, buildOffset(b, line, i), width);
      prefetch(b, dy, {panel, first, at});
    }
  }

  /// The inputs of the tile that follows the one of `jobs` kept inputs from `number` on,
  /// in this range: after the last of a block, of the next block.
  SmallVector<Value> buildFollowing(ImplicitLocOpBuilder &b, Value block,
                                    const KeptSpan &span, Value number,
                                    int64_t jobs) const {
    if (product.isLoadBound())
      return {};
    Value count = arith::SubIOp::create(b, span.end, span.begin);
    Value others = arith::SubIOp::create(b, buildIndex(b, product.pattern.kept), count);
    Value most = buildIndex(b, getKeptOfAll(product, operands.destination) - 1);
    SmallVector<Value> inputs;
    for (int64_t j = 0; j < jobs; ++j) {
      Value at = buildOffset(b, number, jobs + j);
      Value isLast = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, at, span.end);
      Value next = arith::AddIOp::create(b, at, others);
      at = arith::SelectOp::create(b, isLast, next, at);
      at = arith::MinUIOp::create(b, at, most);
      inputs.push_back(product.pattern.buildInput(b, operands.pattern, block, at));
    }
    return inputs;
  }

  /// Sums over the chunk of `jobs` kept inputs x the part's outputs, in the order in
  /// which they are stored. Meanwhile x of the `following` inputs is fetched.
  SmallVector<Value> buildSums(ImplicitLocOpBuilder &b, Value block, Part part,
                               Value number, int64_t jobs, Value tile,
                               ArrayRef<Value> following) const {
    SmallVector<Value> inputs;
    for (int64_t j = 0; j < jobs; ++j)
      inputs.push_back(product.pattern.buildInput(b, operands.pattern, block,
                                                  buildOffset(b, number, j)));
    VectorType type = product.getVectorType();
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
    SmallVector<Value> zeros(jobs * part.size, zero);
    return buildFor(
        b, begin, end, 1, zeros,
        [&](ImplicitLocOpBuilder &b, Value panel, ValueRange carried) {
          auto sums = llvm::to_vector_of<Value>(carried);
          buildPrefetch(b, block, part, panel, tile);
          for (Value input : following)
            prefetchTokens(b, product, x, {panel, input});
          for (int64_t r = 0; r < product.tokenVectors; ++r) {
            Value token = buildIndex(b, r * product.lanes);
            SmallVector<Value> rows;
            for (Value input : inputs)
              rows.push_back(
                  vector::LoadOp::create(b, type, x, ValueRange{panel, input, token}));
            for (int64_t v = 0; v < part.size; ++v) {
              Value column = vector::LoadOp::create(
                  b, type, dy,
                  ValueRange{panel, buildPlace(b, product, block, part, v), token});
              for (int64_t j = 0; j < jobs; ++j) {
                Value &sum = sums[j * part.size + v];
                sum = vector::FMAOp::create(b, column, rows[j], sum);
              }
            }
          }
          return sums;
        });
  }

  /// Adds `sum` to the gradient from `offset` on; only the elements that `mask`, if there
  /// is one, names.
  void buildAdd(ImplicitLocOpBuilder &b, Value offset, Value sum, Value mask) const {
    auto type = cast<VectorType>(sum.getType());
    Value to = operands.destination, before;
    if (mask) {
      Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(type));
      before = vector::MaskedLoadOp::create(b, type, to, offset, mask, zeros);
    } else {
      before = vector::LoadOp::create(b, type, to, offset);
    }
    Value both = arith::AddFOp::create(b, before, sum);
    // Selected rather than added to zero: the first chunk finds anything there.
    Value after = arith::SelectOp::create(b, isFirst, sum, both);
    if (mask)
      vector::MaskedStoreOp::create(b, to, offset, mask, after);
    else
      vector::StoreOp::create(b, after, to, offset);
  }

  /// Adds the lane sums of `vectors` to consecutive elements of the gradient.
  void buildStore(ImplicitLocOpBuilder &b, Value offset, ArrayRef<Value> vectors) const {
    while (!vectors.empty()) {
      int64_t count = std::min<int64_t>(llvm::bit_floor(vectors.size()), product.lanes);
      buildAdd(b, offset, buildLaneSums(b, vectors.take_front(count)), Value());
      vectors = vectors.drop_front(count);
      offset = buildOffset(b, offset, count);
    }
  }

  /// The group's gradients of a tile of `jobs` kept inputs. Its parts follow on each
  /// other: the first brings x for the others.
  void buildTile(ImplicitLocOpBuilder &b, Value block, Part group, const KeptSpan &span,
                 Value number, int64_t jobs) const {
    Value tile = arith::DivUIOp::create(b, arith::SubIOp::create(b, number, span.begin),
                                        buildIndex(b, product.jobs));
    SmallVector<Value> following = buildFollowing(b, block, span, number, jobs);
    buildRanges(b, group.size, product.partSize,
                [&](ImplicitLocOpBuilder &b, Value offset, int64_t size) {
                  Part part{arith::AddIOp::create(b, group.offset, offset), size};
                  buildPart(b, block, part, number, jobs, tile, following);
                  following.clear();
                });
  }

  void buildPart(ImplicitLocOpBuilder &b, Value block, Part part, Value number,
                 int64_t jobs, Value tile, ArrayRef<Value> following) const {
    SmallVector<Value> sums = buildSums(b, block, part, number, jobs, tile, following);
    Value first = buildPlace(b, product, number, part, 0);
    if (part.size == product.vector)
      return buildStore(b, first, sums);
    for (int64_t j = 0; j < jobs; ++j)
      buildStore(b, buildOffset(b, first, j * product.vector),
                 ArrayRef(sums).slice(j * part.size, part.size));
  }

  /// The sums over the chunk's one panel, for a block of one output whose gradients
  /// `columns` are in registers.
  SmallVector<Value> buildSums(ImplicitLocOpBuilder &b, ArrayRef<Value> columns,
                               ArrayRef<Value> inputs) const {
    SmallVector<Value> sums(inputs.size());
    for (auto [r, column] : llvm::enumerate(columns)) {
      Value token = buildIndex(b, r * product.lanes);
      for (auto [sum, input] : llvm::zip_equal(sums, inputs)) {
        Value row = vector::LoadOp::create(b, product.getVectorType(), x,
                                           ValueRange{begin, input, token});
        sum = sum ? Value(vector::FMAOp::create(b, column, row, sum))
                  : Value(arith::MulFOp::create(b, column, row));
      }
    }
    return sums;
  }

  /// A tile of `jobs` kept inputs from `number` on; those from `end` on, if there is
  /// one, do not exist.
  void buildSingleTile(ImplicitLocOpBuilder &b, Value block, ArrayRef<Value> columns,
                       Value number, int64_t jobs, Value end = Value()) const {
    SmallVector<Value> inputs;
    Value last = end ? buildOffset(b, end, -1) : Value();
    for (int64_t j = 0; j < jobs; ++j) {
      Value at = buildOffset(b, number, j);
      if (end)
        at = arith::MinUIOp::create(b, at, last);
      inputs.push_back(product.pattern.buildInput(b, operands.pattern, block, at));
    }
    SmallVector<Value> sums = buildSums(b, columns, inputs);
    if (!end)
      return buildStore(b, number, sums);
    Value mask =
        vector::CreateMaskOp::create(b, VectorType::get(jobs, b.getI1Type()),
                                     ValueRange{arith::SubIOp::create(b, end, number)});
    buildAdd(b, number, buildLaneSums(b, sums), mask);
  }

  void buildSingleBlock(ImplicitLocOpBuilder &b, Value block,
                        const KeptSpan &span) const {
    SmallVector<Value> columns = loadTokens(b, product, dy, {begin, block});
    // One vector takes the sums of a tile.
    int64_t jobs = std::min(product.jobs, product.lanes);
    if (span.count)
      return buildRanges(
          b, *span.count, jobs, [&](ImplicitLocOpBuilder &b, Value number, int64_t jobs) {
            buildSingleTile(b, block, columns,
                            arith::AddIOp::create(b, span.begin, number), jobs);
          });
    Value left = arith::SubIOp::create(b, span.end, span.begin);
    Value whole = arith::SubIOp::create(
        b, left, arith::RemUIOp::create(b, left, buildIndex(b, jobs)));
    Value rest = arith::AddIOp::create(b, span.begin, whole);
    buildFor(b, span.begin, rest, jobs, [&](ImplicitLocOpBuilder &b, Value number) {
      buildSingleTile(b, block, columns, number, jobs);
    });
    Value any = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, rest, span.end);
    buildIf(b, any, [&](ImplicitLocOpBuilder &b) {
      buildSingleTile(b, block, columns, rest, jobs, span.end);
    });
  }

  /// Tiles of a number of kept inputs that is not known: as many full ones as there are,
  /// and then at most one of each half of the size before it.
  void buildTiles(ImplicitLocOpBuilder &b, Value block, Part group,
                  const KeptSpan &span) const {
    Value begin = span.begin;
    for (int64_t jobs = product.jobs; jobs; jobs /= 2) {
      Value left = arith::SubIOp::create(b, span.end, begin);
      Value tiles = arith::DivUIOp::create(b, left, buildIndex(b, jobs));
      Value next = arith::AddIOp::create(b, begin, buildScaled(b, tiles, jobs));
      buildFor(b, begin, next, jobs, [&](ImplicitLocOpBuilder &b, Value number) {
        buildTile(b, block, group, span, number, jobs);
      });
      begin = next;
    }
  }

  void buildGroup(ImplicitLocOpBuilder &b, Value block, Part group,
                  const KeptSpan &span) const {
    if (!span.count)
      return buildTiles(b, block, group, span);
    buildRanges(b, *span.count, product.jobs,
                [&](ImplicitLocOpBuilder &b, Value number, int64_t jobs) {
                  buildTile(b, block, group, span,
                            arith::AddIOp::create(b, span.begin, number), jobs);
                });
  }

  void buildBlock(ImplicitLocOpBuilder &b, Value block, Value firstUnit,
                  int64_t units) const {
    KeptSpan span =
        buildSpan(b, product, operands.ranges, operands.pattern, block, firstUnit, units);
    if (product.vector == 1)
      return buildSingleBlock(b, block, span);
    buildRanges(b, product.vector, getGroup(product),
                [&](ImplicitLocOpBuilder &b, Value offset, int64_t size) {
                  buildGroup(b, block, {offset, size}, span);
                });
  }
};

} // namespace

int64_t cpu::getGradientChunk(const KeptProduct &product) {
  return getChunk(product) * product.getHeight();
}

int64_t cpu::getGradientUnits(const KeptProduct &product) {
  // The x that blocks read meanwhile, in the first-level cache where they are load-bound,
  // and otherwise in the second: in more of it where ranges would end in part of a tile.
  const CpuTarget &target = product.target;
  int64_t eighths = product.pattern.keptOfUnit ? 3 : 6;
  int64_t bytes = product.isLoadBound() ? target.l1Bytes : target.l2Bytes / 8 * eighths;
  return product.getUnitsWithin(bytes, getChunk(product) * product.getHeight());
}

void cpu::buildGradient(ImplicitLocOpBuilder &b, const KeptProduct &product,
                        const KernelOperands &operands) {
  Value x = viewPanels(b, operands.panels[0], product.getInputPanels());
  Value dy = viewPanels(b, operands.panels[1], product.getOutputPanels());
  int64_t panels = product.getInputPanels().getCount(), chunk = getChunk(product);
  int64_t blocks = product.pattern.blocks;

  auto forEachChunk =
      [&](ImplicitLocOpBuilder &b,
          function_ref<void(ImplicitLocOpBuilder &, const Gradient &)> body) {
        buildFor(b, panels, chunk, [&](ImplicitLocOpBuilder &b, Value begin) {
          Value end = arith::MinUIOp::create(b, buildOffset(b, begin, chunk),
                                             buildIndex(b, panels));
          Value isFirst =
              arith::CmpIOp::create(b, arith::CmpIPredicate::eq, begin, buildIndex(b, 0));
          body(b, {product, operands, x, dy, begin, end, isFirst});
        });
      };
  using RangeBody = function_ref<void(ImplicitLocOpBuilder &, Value, int64_t)>;
  auto forEachRange = [&](ImplicitLocOpBuilder &b, RangeBody body) {
    buildRanges(b, product.units, operands.ranges.units, body);
  };
  if (!product.isLoadBound())
    return forEachChunk(b, [&](ImplicitLocOpBuilder &b, const Gradient &kernel) {
      forEachRange(b, [&](ImplicitLocOpBuilder &b, Value first, int64_t units) {
        buildParallel(b, blocks, [&](ImplicitLocOpBuilder &b, Value block) {
          kernel.buildBlock(b, block, first, units);
        });
      });
    });

  int64_t ranges = llvm::divideCeil(product.units, operands.ranges.units);
  int64_t fewest = std::min<int64_t>(llvm::divideCeil(enoughPieces, ranges),
                                     llvm::divideCeil(blocks, leastLoadBoundBlocks));
  int64_t count = std::max<int64_t>(fewest, llvm::divideCeil(blocks, loadBoundBlocks));
  Shares shares(product.pattern, count, 1, ranges);
  SharedBlocks shared(b, product.pattern, shares, operands.pattern, operands.ranges);
  // Each range of each share where there are few shares.
  int64_t parts = shares.count < enoughPieces ? ranges : 1;
  buildParallelPairs(
      b, shares.count, parts, [&](ImplicitLocOpBuilder &b, Value share, Value part) {
        Share span = shared.get(b, share);
        auto forEachBlock = [&](ImplicitLocOpBuilder &b, const Gradient &kernel,
                                Value first, int64_t units) {
          buildFor(b, span.begin, span.end, 1, [&](ImplicitLocOpBuilder &b, Value block) {
            kernel.buildBlock(b, block, first, units);
          });
        };
        if (parts == 1)
          return forEachChunk(b, [&](ImplicitLocOpBuilder &b, const Gradient &kernel) {
            forEachRange(b, [&](ImplicitLocOpBuilder &b, Value first, int64_t units) {
              forEachBlock(b, kernel, first, units);
            });
          });
        buildRange(b, product.units, operands.ranges.units, part,
                   [&](ImplicitLocOpBuilder &b, Value first, int64_t units) {
                     forEachChunk(b,
                                  [&](ImplicitLocOpBuilder &b, const Gradient &kernel) {
                                    forEachBlock(b, kernel, first, units);
                                  });
                   });
      });
}
