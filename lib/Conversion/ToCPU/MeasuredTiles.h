// The tile sizes of products: those that were measured, and what they must be.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_MEASUREDTILES_H
#define SPARSAM_LIB_CONVERSION_TOCPU_MEASUREDTILES_H

#include "sparsam/Conversion/ToCPU/TileCache.h"

namespace mlir::sparsam {

/// Sets `sparsam.tiles` to what a file says.
class MeasuredTiles {
public:
  /// Warns, at `module`, of a file that is of no use. No threads mean one a core.
  MeasuredTiles(ModuleOp module, StringRef path, const Cpu &cpu, const CpuTarget &target,
                int64_t threads);

  /// Whether the tile sizes of a product were measured, and another's than the model's
  /// are set. Remarks, once for all products alike, where they are not in the file, or do
  /// not suit the kernel. A product that has sizes keeps them.
  bool set(Operation *op, StructureInterface structure);

private:
  std::string path;
  const Cpu &cpu;
  const CpuTarget &target;
  int64_t threads;
  std::optional<TileCache> cache;
  std::map<TileKey, bool> known;
};

/// Checks the tile sizes that a product was given.
LogicalResult verifyTiles(Operation *op, CpuKernelInterface kernels,
                          const CpuTarget &target);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_CONVERSION_TOCPU_MEASUREDTILES_H
