// The gradient of the values: for each kept input and output, the sum over tokens of
// x * dy. Lanes and registers hold partial sums over tokens, added up at the end of
// each chunk of tokens.
#include "CpuKernels.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::nm;

namespace {

/// Tokens between two sums over lanes, and bytes of x that blocks read meanwhile: from
/// the second-level cache, or from the first where they are load-bound.
constexpr int64_t chunkTokens = 512, chunkBytes = 384 << 10;
constexpr int64_t loadBoundTokens = 64, loadBoundBytes = 32 << 10;
/// Blocks that a thread takes at once where they are load-bound; otherwise one.
constexpr int64_t loadBoundBlocks = 64;

struct Gradient {
  const Product &product;
  Value x, dy, indices, gradient;
  /// The chunk's first panel and its end, and whether it is the first chunk.
  Value begin, end, isFirst;

  /// Sums over the chunk of `jobs` kept inputs x the part's outputs, in the order in
  /// which they are stored.
  SmallVector<Value> buildSums(ImplicitLocOpBuilder &b, Value block, Part part,
                               Value position, int64_t jobs) const {
    SmallVector<Value> inputs;
    for (int64_t j = 0; j < jobs; ++j)
      inputs.push_back(buildKeptInput(b, indices, block, buildOffset(b, position, j)));
    Value output = buildOffset(b, buildScaled(b, block, product.vector), part.offset);
    VectorType type = product.getVectorType();
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
    SmallVector<Value> zeros(jobs * part.size, zero);
    return buildFor(
        b, begin, end, 1, zeros,
        [&](ImplicitLocOpBuilder &b, Value panel, ValueRange carried) {
          auto sums = llvm::to_vector_of<Value>(carried);
          for (int64_t r = 0; r < product.tokenVectors; ++r) {
            Value token = buildIndex(b, r * product.lanes);
            SmallVector<Value> rows;
            for (Value input : inputs)
              rows.push_back(
                  vector::LoadOp::create(b, type, x, ValueRange{panel, input, token}));
            for (int64_t v = 0; v < part.size; ++v) {
              Value column = vector::LoadOp::create(
                  b, type, dy, ValueRange{panel, buildOffset(b, output, v), token});
              for (int64_t j = 0; j < jobs; ++j) {
                Value &sum = sums[j * part.size + v];
                sum = vector::FMAOp::create(b, column, rows[j], sum);
              }
            }
          }
          return sums;
        });
  }

  /// Adds the lane sums of `vectors` to consecutive elements of the block's gradient.
  void buildStore(ImplicitLocOpBuilder &b, Value block, Value offset,
                  ArrayRef<Value> vectors) const {
    while (!vectors.empty()) {
      int64_t count = std::min<int64_t>(llvm::bit_floor(vectors.size()), product.lanes);
      Value sum = buildLaneSums(b, vectors.take_front(count));
      auto type = cast<VectorType>(sum.getType());
      SmallVector<Value> at{block, offset};
      Value before = vector::LoadOp::create(b, type, gradient, at);
      Value both = arith::AddFOp::create(b, before, sum);
      // Selected rather than added to zero: the first chunk finds anything there.
      Value after = arith::SelectOp::create(b, isFirst, sum, both);
      vector::StoreOp::create(b, after, gradient, at);
      vectors = vectors.drop_front(count);
      offset = buildOffset(b, offset, count);
    }
  }

  void buildTile(ImplicitLocOpBuilder &b, Value block, Part part, Value position,
                 int64_t jobs) const {
    SmallVector<Value> sums = buildSums(b, block, part, position, jobs);
    Value first = buildOffset(b, buildScaled(b, position, product.vector), part.offset);
    if (part.size == product.vector)
      return buildStore(b, block, first, sums);
    for (int64_t j = 0; j < jobs; ++j)
      buildStore(b, block, buildOffset(b, first, j * product.vector),
                 ArrayRef(sums).slice(j * part.size, part.size));
  }

  void buildBlock(ImplicitLocOpBuilder &b, Value block, Value firstGroup,
                  int64_t groups) const {
    Value begin = buildScaled(b, firstGroup, product.n);
    for (Part part : product.parts)
      buildRanges(b, groups * product.n, product.jobs,
                  [&](ImplicitLocOpBuilder &b, Value position, int64_t jobs) {
                    buildTile(b, block, part, arith::AddIOp::create(b, begin, position),
                              jobs);
                  });
  }
};

} // namespace

void nm::buildGradient(ImplicitLocOpBuilder &b, const Product &product,
                       ValueRange arguments) {
  Value x = viewPanels(b, arguments[0], product.getInputPanels());
  Value dy = viewPanels(b, arguments[1], product.getOutputPanels());
  // values[block][kept][V], with the last two flattened.
  Value gradient = memref::CollapseShapeOp::create(
      b, arguments[3], SmallVector<ReassociationIndices>{{0}, {1, 2}});
  int64_t panels = product.getInputPanels().getCount();
  bool loadBound = product.isLoadBound();
  int64_t chunk = std::max<int64_t>(1, (loadBound ? loadBoundTokens : chunkTokens) /
                                           product.getHeight());
  int64_t size = product.getGroupsWithin(loadBound ? loadBoundBytes : chunkBytes,
                                         chunk * product.getHeight(), 24);

  using RangeBody =
      function_ref<void(ImplicitLocOpBuilder &, const Gradient &, Value, int64_t)>;
  auto forEachRange = [&](ImplicitLocOpBuilder &b, RangeBody body) {
    buildFor(b, panels, chunk, [&](ImplicitLocOpBuilder &b, Value begin) {
      Value end =
          arith::MinUIOp::create(b, buildOffset(b, begin, chunk), buildIndex(b, panels));
      Value isFirst =
          arith::CmpIOp::create(b, arith::CmpIPredicate::eq, begin, buildIndex(b, 0));
      Gradient kernel{product, x, dy, arguments[2], gradient, begin, end, isFirst};
      buildRanges(b, product.groups, size,
                  [&](ImplicitLocOpBuilder &b, Value first, int64_t groups) {
                    body(b, kernel, first, groups);
                  });
    });
  };
  if (!loadBound)
    return forEachRange(b, [&](ImplicitLocOpBuilder &b, const Gradient &kernel,
                               Value first, int64_t groups) {
      buildParallel(b, product.blocks, [&](ImplicitLocOpBuilder &b, Value block) {
        kernel.buildBlock(b, block, first, groups);
      });
    });

  int64_t bunches = llvm::divideCeil(product.blocks, loadBoundBlocks);
  buildParallel(b, bunches, [&](ImplicitLocOpBuilder &b, Value bunch) {
    Value begin = buildScaled(b, bunch, loadBoundBlocks);
    Value end = arith::MinUIOp::create(b, buildOffset(b, begin, loadBoundBlocks),
                                       buildIndex(b, product.blocks));
    forEachRange(b, [&](ImplicitLocOpBuilder &b, const Gradient &kernel, Value first,
                        int64_t groups) {
      buildFor(b, begin, end, 1, {},
               [&](ImplicitLocOpBuilder &b, Value block, ValueRange) {
                 kernel.buildBlock(b, block, first, groups);
                 return SmallVector<Value>();
               });
    });
  });
}
