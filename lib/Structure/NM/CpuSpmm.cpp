// y = x W and dx = dy W^T from the same storage: one gathers rows of its panel, the
// other adds to them.
#include "CpuKernels.h"

#include <numeric>

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::nm;

namespace {

/// Bytes of dx that stay in cache (and on the stack) while all blocks add to them.
constexpr int64_t scatterBytes = 160 << 10, scatterBytesNarrow = 24 << 10;

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

Value loadWeight(ImplicitLocOpBuilder &b, const Product &product, Value values,
                 Value block, Value position, int64_t output) {
  Value weight = memref::LoadOp::create(
      b, values, ValueRange{block, position, buildIndex(b, output)});
  return vector::BroadcastOp::create(b, product.getVectorType(), weight);
}

/// part x tokenVectors accumulators over all kept inputs, in registers.
SmallVector<Value> buildGather(ImplicitLocOpBuilder &b, const Product &product,
                               Value panels, Value values, Value indices, Value panel,
                               Value block, Part part) {
  SmallVector<Value> zeros(part.size * product.tokenVectors, getZeros(b, product));
  return buildFor(
      b, buildIndex(b, 0), buildIndex(b, product.kept), 1, zeros,
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
  // As many blocks at once as give whole squares to transpose.
  int64_t bunch = product.lanes / std::gcd(product.vector, product.lanes);
  buildParallel(b, shape.getCount(), [&](ImplicitLocOpBuilder &b, Value panel) {
    Value scratch =
        createScratch(b, product, std::min(bunch, product.blocks) * product.vector);
    buildRanges(b, product.blocks, bunch,
                [&](ImplicitLocOpBuilder &b, Value first, int64_t count) {
                  buildFor(b, count, 1, [&](ImplicitLocOpBuilder &b, Value i) {
                    Value block = arith::AddIOp::create(b, first, i);
                    Value output = buildScaled(b, i, product.vector);
                    for (Part part : product.parts) {
                      SmallVector<Value> sums = buildGather(b, product, panels, values,
                                                            indices, panel, block, part);
                      for (int64_t v = 0; v < part.size; ++v)
                        storeTokens(b, product,
                                    ArrayRef(sums).slice(v * product.tokenVectors,
                                                         product.tokenVectors),
                                    scratch, buildOffset(b, output, part.offset + v));
                    }
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
  bool narrow =
      product.getVectorType().getNumElements() * product.element.getIntOrFloatBitWidth() <
      512;
  int64_t size = product.getGroupsWithin(narrow ? scatterBytesNarrow : scatterBytes,
                                         product.getHeight(), 48);
  buildParallel(b, shape.getCount(), [&](ImplicitLocOpBuilder &b, Value panel) {
    Value scratch = createScratch(b, product, size * product.m);
    buildRanges(
        b, product.groups, size,
        [&](ImplicitLocOpBuilder &b, Value first, int64_t groups) {
          SmallVector<Value> zeros(product.tokenVectors, getZeros(b, product));
          buildFor(b, groups * product.m, 1, [&](ImplicitLocOpBuilder &b, Value input) {
            storeTokens(b, product, zeros, scratch, input);
          });
          buildFor(b, product.blocks, 1, [&](ImplicitLocOpBuilder &b, Value block) {
            for (Part part : product.parts)
              buildScatter(b, product, panels, values, indices, scratch, panel, block,
                           part, first, groups);
          });
          buildUnpack(b, scratch, groups * product.m, dx, panel,
                      buildScaled(b, first, product.m), product.lanes);
        });
  });
}
