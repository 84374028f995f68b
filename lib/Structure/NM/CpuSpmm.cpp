// y = x W and dx = dy W^T from the same storage: one gathers rows of its panel, the
// other adds to them.
#include "CpuKernels.h"

#include <numeric>

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::nm;

namespace {

/// Bytes of the panel that blocks gather from, while it stays in the second-level cache.
/// Smaller ranges would fit in the first, but then each block's values, which are
/// contiguous over all inputs, are read in pieces too short to prefetch.
constexpr int64_t gatherBytes = 512 << 10;
/// Bytes of dx that blocks add to meanwhile; they are on the stack.
int64_t getScatterBytes(const Product &product) {
  return product.isLoadBound() ? 64 << 10 : 160 << 10;
}
/// Bytes of outputs on the stack that several ranges of inputs add up in.
constexpr int64_t partialBytes = 128 << 10;
/// Kept inputs of a range for whose sake a block's outputs are loaded and stored.
constexpr int64_t minimumKept = 24;

Value createScratch(ImplicitLocOpBuilder &b, const Product &product, int64_t rows) {
  auto type =
      MemRefType::get({int64_t(llvm::alignTo(rows, product.lanes)), product.getHeight()},
                      product.element);
  return memref::AllocaOp::create(b, type, b.getI64IntegerAttr(64));
}

Value getZeros(ImplicitLocOpBuilder &b, const Product &product) {
  return arith::ConstantOp::create(b, b.getZeroAttr(product.getVectorType()));
}

/// The token vectors of one feature: row[r * lanes ..] for each r.
SmallVector<Value> loadTokens(ImplicitLocOpBuilder &b, const Product &product,
                              Value memref, ValueRange row) {
  SmallVector<Value> vectors;
  for (int64_t r = 0; r < product.tokenVectors; ++r) {
    SmallVector<Value> at(row);
    at.push_back(buildIndex(b, r * product.lanes));
    vectors.push_back(vector::LoadOp::create(b, product.getVectorType(), memref, at));
  }
  return vectors;
}

void storeTokens(ImplicitLocOpBuilder &b, const Product &product, ArrayRef<Value> vectors,
                 Value memref, ValueRange row) {
  for (auto [r, value] : llvm::enumerate(vectors)) {
    SmallVector<Value> at(row);
    at.push_back(buildIndex(b, r * product.lanes));
    vector::StoreOp::create(b, value, memref, at);
  }
}

void fillZeros(ImplicitLocOpBuilder &b, const Product &product, Value scratch,
               int64_t rows) {
  buildFor(b, rows, 1, [&](ImplicitLocOpBuilder &b, Value row) {
    SmallVector<Value> zeros(product.tokenVectors, getZeros(b, product));
    storeTokens(b, product, zeros, scratch, row);
  });
}

Value loadWeight(ImplicitLocOpBuilder &b, const Product &product, Value values,
                 Value block, Value position, int64_t output) {
  Value weight = memref::LoadOp::create(
      b, values, ValueRange{block, position, buildIndex(b, output)});
  return vector::BroadcastOp::create(b, product.getVectorType(), weight);
}

/// Adds the kept inputs from `begin` to `end` to part x tokenVectors accumulators.
SmallVector<Value> buildGather(ImplicitLocOpBuilder &b, const Product &product,
                               Value panels, Value values, Value indices, Value panel,
                               Value block, Part part, Value begin, Value end,
                               ValueRange sums) {
  return buildFor(
      b, begin, end, 1, sums,
      [&](ImplicitLocOpBuilder &b, Value position, ValueRange sums) {
        Value input = buildKeptInput(b, indices, block, position);
        SmallVector<Value> x = loadTokens(b, product, panels, {panel, input});
        SmallVector<Value> next;
        for (int64_t v = 0; v < part.size; ++v) {
          Value weight = loadWeight(b, product, values, block, position, part.offset + v);
          for (int64_t r = 0; r < product.tokenVectors; ++r)
            next.push_back(vector::FMAOp::create(b, weight, x[r], sums[next.size()]));
        }
        return next;
      });
}

/// Adds the part's outputs into the rows of dx that they keep, in memory.
void buildScatter(ImplicitLocOpBuilder &b, const Product &product, Value panels,
                  Value values, Value indices, Value dx, Value panel, Value block,
                  Part part, Value firstGroup, int64_t groups) {
  SmallVector<SmallVector<Value>> dy;
  for (int64_t v = 0; v < part.size; ++v) {
    Value output = buildOffset(b, buildScaled(b, block, product.vector), part.offset + v);
    dy.push_back(loadTokens(b, product, panels, {panel, output}));
  }
  Value firstInput = buildScaled(b, firstGroup, product.m);
  Value begin = buildScaled(b, firstGroup, product.n);
  buildFor(b, begin, buildOffset(b, begin, groups * product.n), 1, {},
           [&](ImplicitLocOpBuilder &b, Value position, ValueRange) {
             Value input = buildKeptInput(b, indices, block, position);
             Value row = arith::SubIOp::create(b, input, firstInput);
             SmallVector<Value> sums = loadTokens(b, product, dx, row);
             for (int64_t v = 0; v < part.size; ++v) {
               Value weight =
                   loadWeight(b, product, values, block, position, part.offset + v);
               for (int64_t r = 0; r < product.tokenVectors; ++r)
                 sums[r] = vector::FMAOp::create(b, weight, dy[v][r], sums[r]);
             }
             storeTokens(b, product, sums, dx, row);
             return SmallVector<Value>();
           });
}

} // namespace

void nm::buildForward(ImplicitLocOpBuilder &b, const Product &product,
                      ValueRange arguments) {
  PanelShape shape = product.getInputPanels();
  Value panels = viewPanels(b, arguments[0], shape);
  Value values = arguments[1], indices = arguments[2], y = arguments[3];
  // As many blocks at once as give whole squares to transpose; where the inputs are
  // cut into ranges, as many as amortise fetching a range.
  int64_t bunch = product.lanes / std::gcd(product.vector, product.lanes);
  int64_t size = product.getGroupsWithin(gatherBytes, product.getHeight(), minimumKept);
  bool inRanges = size < product.groups;
  if (inRanges)
    bunch *= std::max<int64_t>(
        1, partialBytes / product.getBytes(bunch * product.vector * product.getHeight()));
  bunch = std::min(bunch, product.blocks);

  auto buildBlock = [&](ImplicitLocOpBuilder &b, Value panel, Value block, Value output,
                        Value firstGroup, int64_t groups, Value scratch) {
    Value begin = buildScaled(b, firstGroup, product.n);
    Value end = buildOffset(b, begin, groups * product.n);
    for (Part part : product.parts) {
      SmallVector<Value> sums;
      for (int64_t v = 0; v < part.size; ++v)
        if (inRanges)
          llvm::append_range(sums, loadTokens(b, product, scratch,
                                              buildOffset(b, output, part.offset + v)));
        else
          sums.append(product.tokenVectors, getZeros(b, product));
      sums = buildGather(b, product, panels, values, indices, panel, block, part, begin,
                         end, sums);
      for (int64_t v = 0; v < part.size; ++v)
        storeTokens(b, product,
                    ArrayRef(sums).slice(v * product.tokenVectors, product.tokenVectors),
                    scratch, buildOffset(b, output, part.offset + v));
    }
  };
  buildParallel(b, shape.getCount(), [&](ImplicitLocOpBuilder &b, Value panel) {
    Value scratch = createScratch(b, product, bunch * product.vector);
    buildRanges(b, product.blocks, bunch,
                [&](ImplicitLocOpBuilder &b, Value first, int64_t count) {
                  if (inRanges)
                    fillZeros(b, product, scratch, count * product.vector);
                  buildRanges(
                      b, product.groups, size,
                      [&](ImplicitLocOpBuilder &b, Value firstGroup, int64_t groups) {
                        buildFor(b, count, 1, [&](ImplicitLocOpBuilder &b, Value i) {
                          Value block = arith::AddIOp::create(b, first, i);
                          Value output = buildScaled(b, i, product.vector);
                          buildBlock(b, panel, block, output, firstGroup, groups,
                                     scratch);
                        });
                      });
                  buildUnpack(b, scratch, count * product.vector, y, panel,
                              buildScaled(b, first, product.vector), product.lanes);
                });
  });
}

void nm::buildTransposed(ImplicitLocOpBuilder &b, const Product &product,
                         ValueRange arguments) {
  PanelShape shape = product.getOutputPanels();
  Value panels = viewPanels(b, arguments[0], shape);
  Value values = arguments[1], indices = arguments[2], dx = arguments[3];
  int64_t size =
      product.getGroupsWithin(getScatterBytes(product), product.getHeight(), minimumKept);
  buildParallel(b, shape.getCount(), [&](ImplicitLocOpBuilder &b, Value panel) {
    Value scratch = createScratch(b, product, size * product.m);
    buildRanges(b, product.groups, size,
                [&](ImplicitLocOpBuilder &b, Value first, int64_t groups) {
                  fillZeros(b, product, scratch, groups * product.m);
                  buildFor(b, product.blocks, 1,
                           [&](ImplicitLocOpBuilder &b, Value block) {
                             for (Part part : product.parts)
                               buildScatter(b, product, panels, values, indices, scratch,
                                            panel, block, part, first, groups);
                           });
                  buildUnpack(b, scratch, groups * product.m, dx, panel,
                              buildScaled(b, first, product.m), product.lanes);
                });
  });
}
