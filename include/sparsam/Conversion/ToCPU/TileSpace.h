// What the kernel of one structured product can be cut into.
#ifndef SPARSAM_CONVERSION_TOCPU_TILESPACE_H
#define SPARSAM_CONVERSION_TOCPU_TILESPACE_H

#include "sparsam/IR/KernelTiles.h"

namespace mlir::sparsam {

struct TileSpace {
  /// All sizes that the kernel has: those that are given, and the model's.
  KernelTiles tiles;
  /// The most outputs of a part.
  int64_t outputs;
  /// The rows that ranges are of, and how many of them are not torn apart.
  int64_t rows, unit;
  /// Those that chunks are of.
  int64_t tokens;
  /// Whether one vector takes the sums of all jobs, which are a power of two then.
  bool jobsInVector;
  /// Elements of a range, all its tokens counted, that fit where the kernel has them;
  /// none where they are in memory.
  std::optional<int64_t> mostElements;
  /// Of the target.
  int64_t lanes, registers;

  /// Checks the sizes that were given, which have passed `KernelTiles::verify`.
  LogicalResult verify(const KernelTiles &given,
                       function_ref<InFlightDiagnostic()> emitError) const;
};

} // namespace mlir::sparsam

#endif // SPARSAM_CONVERSION_TOCPU_TILESPACE_H
