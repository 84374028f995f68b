// Networks of two-input shuffles that transpose vectors or sum over their lanes.
// Every step is one machine instruction where the vector is a power of two lanes of
// 128 bits: an unpack inside the lanes of 128 bits, or a shuffle of whole ones.
#include "sparsam/Conversion/ToCPU/Panels.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// A shuffle of two vectors takes its place bit to one bit of the lane number, and
/// that bit's old content tells apart the two results. With the lanes numbered as
/// `outer` (of 128 bits each) and `inner`, an inner step pushes into the lowest inner
/// bit and drops the highest, an outer step pushes into the highest outer bit and
/// drops the lowest.
struct Network {
  int64_t lanes;
  unsigned innerBits, outerBits;

  explicit Network(VectorType type) : lanes(type.getNumElements()) {
    unsigned bits = llvm::Log2_64(lanes);
    unsigned inBlock = llvm::Log2_64(128 / type.getElementType().getIntOrFloatBitWidth());
    innerBits = std::min(bits, inBlock);
    outerBits = bits - innerBits;
  }

  /// Where lane `lane` of result `which` comes from, in the two inputs' lanes.
  int64_t getInnerSource(int64_t lane, int64_t which) const {
    int64_t inner = lane & ((1 << innerBits) - 1), outer = lane >> innerBits;
    int64_t place = (inner >> 1) | (which << (innerBits - 1));
    return (inner & 1) * lanes + (outer << innerBits) + place;
  }
  int64_t getOuterSource(int64_t lane, int64_t which) const {
    int64_t inner = lane & ((1 << innerBits) - 1), outer = lane >> innerBits;
    int64_t top = outer >> (outerBits - 1), rest = outer & ((1 << (outerBits - 1)) - 1);
    return top * lanes + (((rest << 1) | which) << innerBits) + inner;
  }

  /// Which bit of a vector's number step `step` consumes: the inner ones from the
  /// highest to the lowest, then the outer ones from the lowest, which leaves the
  /// lanes in order.
  unsigned getBit(unsigned step) const {
    return step < innerBits ? innerBits - 1 - step : step;
  }

  SmallVector<int64_t> getMask(unsigned step, int64_t which) const {
    SmallVector<int64_t> mask(lanes);
    for (int64_t lane = 0; lane < lanes; ++lane)
      mask[lane] =
          step < innerBits ? getInnerSource(lane, which) : getOuterSource(lane, which);
    return mask;
  }
};

} // namespace

SmallVector<Value> sparsam::buildTranspose(ImplicitLocOpBuilder &b,
                                           ArrayRef<Value> rows) {
  Network network(cast<VectorType>(rows.front().getType()));
  SmallVector<Value> current(rows);
  for (unsigned step = 0; step < network.innerBits + network.outerBits; ++step) {
    int64_t distance = int64_t(1) << network.getBit(step);
    SmallVector<Value> next(current.size());
    for (int64_t i = 0; i < static_cast<int64_t>(current.size()); ++i) {
      int64_t low = i & ~distance, which = (i & distance) != 0;
      next[i] = vector::ShuffleOp::create(b, current[low], current[low | distance],
                                          network.getMask(step, which));
    }
    current = std::move(next);
  }
  return current;
}

Value sparsam::buildLaneSums(ImplicitLocOpBuilder &b, ArrayRef<Value> vectors) {
  auto type = cast<VectorType>(vectors.front().getType());
  Network network(type);
  // Adding the two results of a step leaves partial sums of two vectors side by
  // side; `owners` says whose sum is in each lane.
  SmallVector<Value> current(vectors);
  SmallVector<SmallVector<int64_t>> owners;
  for (size_t i = 0; i < vectors.size(); ++i)
    owners.emplace_back(network.lanes, i);
  for (unsigned step = 0; current.size() > 1; ++step) {
    SmallVector<Value> next;
    SmallVector<SmallVector<int64_t>> nextOwners;
    SmallVector<int64_t> masks[] = {network.getMask(step, 0), network.getMask(step, 1)};
    for (size_t i = 0; i < current.size(); i += 2) {
      Value parts[2];
      for (int64_t which : {0, 1})
        parts[which] =
            vector::ShuffleOp::create(b, current[i], current[i + 1], masks[which]);
      next.push_back(arith::AddFOp::create(b, parts[0], parts[1]));
      nextOwners.push_back(llvm::map_to_vector(masks[0], [&](int64_t source) {
        return source < network.lanes ? owners[i][source]
                                      : owners[i + 1][source - network.lanes];
      }));
    }
    current = std::move(next);
    owners = std::move(nextOwners);
  }
  int64_t copies = network.lanes / static_cast<int64_t>(vectors.size());
  Value sum;
  for (int64_t copy = 0; copy < copies; ++copy) {
    SmallVector<int64_t> mask;
    for (int64_t owner = 0; owner < static_cast<int64_t>(vectors.size()); ++owner) {
      int64_t seen = 0;
      for (int64_t lane = 0; lane < network.lanes; ++lane)
        if (owners[0][lane] == owner && seen++ == copy)
          mask.push_back(lane);
    }
    Value part = vector::ShuffleOp::create(b, current[0], current[0], mask);
    sum = sum ? Value(arith::AddFOp::create(b, sum, part)) : part;
  }
  return sum;
}
