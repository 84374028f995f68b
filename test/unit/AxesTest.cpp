#include "sparsam/Analysis/Axes.h"
#include "sparsam/Analysis/CoupledAxes.h"
#include "sparsam/IR/SparsamDialect.h"
#include "sparsam/InitAll.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::sparsam;

namespace {

struct AxesTest : testing::Test {
  AxesTest() : loc(UnknownLoc::get(&context)) {}

  SmallVector<Axis> make(ArrayRef<int64_t> sizes) {
    return llvm::map_to_vector(sizes, [&](int64_t size) { return axes.make(size); });
  }

  /// The sizes of the leaves of an axis.
  SmallVector<int64_t> leaves(Axis axis) {
    return llvm::map_to_vector(axes.getLeaves(axis),
                               [&](Axis leaf) { return axes.getSize(leaf); });
  }

  MLIRContext context;
  Location loc;
  Axes axes;
};

using Sizes = SmallVector<int64_t>;

TEST_F(AxesTest, ReshapesOfOneDimensionAreRefined) {
  Axis dim = axes.make(24);
  auto coarse = make({4, 6}), fine = make({2, 12});
  axes.unify(dim, axes.makeProduct(coarse), loc);
  axes.unify(dim, axes.makeProduct(fine), loc);
  EXPECT_EQ(leaves(dim), Sizes({2, 2, 6}));
  EXPECT_EQ(leaves(coarse[0]), Sizes({2, 2}));
  EXPECT_EQ(leaves(fine[1]), Sizes({2, 6}));
  EXPECT_EQ(axes.find(coarse[1]), axes.find(axes.getLeaves(fine[1])[1]));
}

TEST_F(AxesTest, ReshapesThatCutAcrossAreAnObstacle) {
  Axis dim = axes.make(12);
  auto one = make({4, 3}), other = make({3, 4});
  axes.unify(dim, axes.makeProduct(one), loc);
  axes.unify(dim, axes.makeProduct(other), loc);
  for (Axis axis : {one[0], one[1], other[0], other[1]}) {
    ASSERT_TRUE(axes.getObstacle(axis));
    EXPECT_EQ(axes.getObstacle(axis)->reason,
              "reshapes cut it at places that do not fit one another");
  }
}

TEST_F(AxesTest, SingleEntriesAreNoAxis) {
  Axis whole = axes.make(3), some = axes.make(3);
  for (int64_t place : {0, 1, 2})
    axes.getSegment(whole, place, 1, loc);
  axes.getSegment(some, 1, 1, loc);
  EXPECT_TRUE(axes.isCut(whole));
  for (Axis leaf : axes.getLeaves(whole))
    EXPECT_TRUE(axes.getObstacle(leaf));
  Axis rest = axes.makeConcatenation({some, axes.make(2)});
  EXPECT_FALSE(axes.isCut(rest));
  EXPECT_FALSE(axes.isCut(axes.make(1)));
  EXPECT_FALSE(axes.isCut(axes.make(4)));
}

TEST_F(AxesTest, AnEarlierReasonStaysWithSingleEntries) {
  Axis dim = axes.make(2);
  axes.block(dim, loc, "counted");
  axes.getSegment(dim, 0, 1, loc);
  for (Axis leaf : axes.getLeaves(dim))
    EXPECT_EQ(axes.getObstacle(leaf)->reason, "counted");
}

TEST_F(AxesTest, SegmentsOfAFusedDimension) {
  Axis dim = axes.make(20);
  Axis query = axes.getSegment(dim, 0, 12, loc), key = axes.getSegment(dim, 12, 8, loc);
  auto heads = make({2, 6}), keys = make({2, 4});
  axes.unify(query, axes.makeProduct(heads), loc);
  axes.unify(key, axes.makeProduct(keys), loc);
  axes.unify(heads[0], keys[0], loc);
  EXPECT_EQ(leaves(dim), Sizes({2, 6, 4}));
  auto occurrences = axes.getOccurrences(dim);
  ASSERT_EQ(occurrences.size(), 4u);
  EXPECT_EQ(occurrences[0].leaf, occurrences[2].leaf);
  EXPECT_EQ(occurrences[0].segment.inner, 6);
  EXPECT_EQ(occurrences[2].segment.offset, 12);
  EXPECT_EQ(occurrences[2].segment.inner, 4);
  // One head of two leaves 6 + 4 entries, and the keys start at 6.
  Axis shared = axes.find(heads[0]);
  auto sizeOf = [&](Axis leaf) { return leaf == shared ? 1 : axes.getSize(leaf); };
  EXPECT_EQ(axes.evaluate(dim, sizeOf), 10);
  EXPECT_EQ(axes.evaluateOffset(dim, 12, sizeOf), 6);
  EXPECT_EQ(axes.evaluateOffset(dim, 20, sizeOf), 10);
}

TEST_F(AxesTest, AProductDistributesOverASplit) {
  Axis dim = axes.make(24);
  auto factors = make({3, 8});
  axes.unify(dim, axes.makeProduct(factors), loc);
  Axis part = axes.getSegment(dim, 8, 16, loc);
  EXPECT_EQ(axes.getSize(part), 16);
  EXPECT_EQ(leaves(part), Sizes({2, 8}));
  EXPECT_EQ(leaves(factors[0]), Sizes({1, 2}));
  axes.getSegment(dim, 4, 8, loc);
  EXPECT_TRUE(axes.getObstacle(factors[1]));
}

TEST_F(AxesTest, EqualSegmentsSideBySideAreOne) {
  Axis head = axes.make(4);
  SmallVector<Axis> parts;
  for (unsigned count = 0; count < 3; ++count)
    parts.push_back(axes.makeProduct({head, axes.make(5)}));
  auto occurrences = axes.getOccurrences(axes.makeConcatenation(parts));
  EXPECT_EQ(occurrences.front().leaf, axes.find(head));
  EXPECT_EQ(occurrences.front().segment.outer, 3);
  EXPECT_EQ(occurrences.front().segment.inner, 5);
}

TEST_F(AxesTest, AnObstacleSpreads) {
  Axis a = axes.make(6), b = axes.make(6), c = axes.make(6);
  axes.block(a, loc, "first");
  axes.unify(a, b, loc);
  axes.block(b, loc, "second");
  axes.unify(c, b, loc);
  EXPECT_EQ(axes.getObstacle(c)->reason, "first");
  auto factors = make({2, 3});
  axes.unify(c, axes.makeProduct(factors), loc);
  EXPECT_TRUE(axes.getObstacle(factors[0]) && axes.getObstacle(factors[1]));
}

TEST_F(AxesTest, TheShapeThatASliceLeaves) {
  DialectRegistry registry;
  registerAll(registry);
  context.appendDialectRegistry(registry);
  context.loadDialect<SparsamDialect>();
  auto kept = [&](StringRef text, ArrayRef<int64_t> shape) {
    auto type = RankedTensorType::get(shape, Float32Type::get(&context));
    auto structure = parseStructure(text, loc);
    return *getKeptShape(*structure, type, [&] { return emitError(loc); });
  };
  EXPECT_EQ(kept("slice<group = \"f\", keep = 2, columns = [0:1x4x1], in = [0, 1, 2]>",
                 {3, 3, 5, 4}),
            Sizes({3, 3, 5, 2}));
  EXPECT_EQ(kept("slice<group = \"c\", keep = 2, rows = [0:9x5x1], in = [0, 1, 2]>",
                 {3, 3, 5, 4}),
            Sizes({3, 3, 2, 4}));
  EXPECT_EQ(kept("slice<group = \"h\", keep = 1, columns = [0:3x2x4]>", {7, 24}),
            Sizes({7, 12}));
  EXPECT_EQ(kept("nm<2:4>", {8, 24}), Sizes({8, 24}));
}

} // namespace
