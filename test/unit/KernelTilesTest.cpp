// Tile sizes: the largest that there are, and those beyond.

#include "sparsam/IR/KernelTiles.h"
#include "sparsam/Conversion/ToCPU/TileSpace.h"

#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>
#include <limits>

using namespace mlir;
using namespace mlir::sparsam;

namespace {

constexpr int64_t huge = std::numeric_limits<int64_t>::max();

/// A gradient of 32 inputs in groups of 8, blocks of 12 outputs, and 100 tokens.
TileSpace makeSpace(const KernelTiles &given) {
  return {{given.part.value_or(6), given.tokenVectors.value_or(2), given.jobs.value_or(2),
           given.range.value_or(16), given.chunk.value_or(64)},
          /*outputs=*/12,
          /*rows=*/32,
          /*unit=*/8,
          /*tokens=*/100,
          /*jobsInVector=*/false,
          /*mostElements=*/std::nullopt,
          /*lanes=*/8,
          /*registers=*/16};
}

bool suits(KernelTiles::Member member, int64_t size) {
  MLIRContext context;
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
  KernelTiles given;
  given.*member = size;
  return succeeded(makeSpace(given).verify(
      given, [&] { return emitError(UnknownLoc::get(&context)); }));
}

TEST(KernelTilesTest, LargestSizes) {
  EXPECT_TRUE(suits(&KernelTiles::part, 12));
  EXPECT_FALSE(suits(&KernelTiles::part, 13));
  // The model's part counts.
  EXPECT_TRUE(suits(&KernelTiles::jobs, 21));
  EXPECT_FALSE(suits(&KernelTiles::jobs, 22));
  EXPECT_TRUE(suits(&KernelTiles::chunk, 100));
  EXPECT_FALSE(suits(&KernelTiles::chunk, 101));
  EXPECT_FALSE(suits(&KernelTiles::chunk, huge));
  EXPECT_TRUE(suits(&KernelTiles::range, 32));
  EXPECT_FALSE(suits(&KernelTiles::range, 31));
  EXPECT_FALSE(suits(&KernelTiles::range, 40));
  EXPECT_FALSE(suits(&KernelTiles::range, huge));
}

TEST(KernelTilesTest, Names) {
  EXPECT_TRUE(KernelTiles::isName("token_vectors"));
  EXPECT_FALSE(KernelTiles::isName("height"));
}

} // namespace
