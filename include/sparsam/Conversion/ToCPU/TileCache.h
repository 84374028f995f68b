// Tile sizes that were measured, and the file that keeps them.
#ifndef SPARSAM_CONVERSION_TOCPU_TILECACHE_H
#define SPARSAM_CONVERSION_TOCPU_TILECACHE_H

#include "sparsam/Conversion/ToCPU/CpuKernels.h"

#include <map>

namespace mlir::sparsam {

/// A product on a CPU, as far as it tells which tile sizes are fast.
struct TileKey {
  /// Name and sizes of the CPU.
  std::string cpu;
  int64_t vectorBits, l1Bytes, l2Bytes;
  int64_t threads;
  /// Name of the operation, "spmm", "spmm_transposed" or "sddmm".
  std::string product;
  /// Text of the structure, "nm<2:4, vector = 8>".
  std::string structure;
  /// "f32".
  std::string element;
  int64_t tokens, inputs, outputs;

  /// Of an spmm or sddmm with static shapes.
  static TileKey get(Operation *op, const Cpu &cpu, const CpuTarget &target,
                     int64_t threads);
  bool operator<(const TileKey &other) const;

  /// Calls `body` for each part of a key, with its name in files and in Python.
  template <typename KeyT, typename BodyT>
  static void forEachField(KeyT &key, BodyT body) {
    body("cpu", key.cpu);
    body("vector_bits", key.vectorBits);
    body("l1_bytes", key.l1Bytes);
    body("l2_bytes", key.l2Bytes);
    body("threads", key.threads);
    body("product", key.product);
    body("structure", key.structure);
    body("element", key.element);
    body("tokens", key.tokens);
    body("inputs", key.inputs);
    body("outputs", key.outputs);
  }
};

/// What was measured of a product: the fastest sizes, which are none where the model's
/// are, and the seconds of both.
struct TileEntry {
  KernelTiles tiles;
  double modelSeconds = 0, seconds = 0;
};

/// The contents of a file.
class TileCache {
public:
  /// An error that names the file where it cannot be read, is no whole file of tile
  /// sizes, or is of another version.
  static llvm::Expected<TileCache> read(StringRef path);
  static llvm::Expected<TileCache> parse(StringRef text, StringRef name);

  /// Adds `more` to a file, which may be new, with what other processes add meanwhile.
  /// The file is replaced as a whole or not at all.
  static llvm::Error update(StringRef path, const TileCache &more);

  /// Null where it was not measured.
  const TileEntry *find(const TileKey &key) const;
  void add(const TileKey &key, const TileEntry &entry) { entries[key] = entry; }

  std::string print() const;

private:
  std::map<TileKey, TileEntry> entries;
};

} // namespace mlir::sparsam

#endif // SPARSAM_CONVERSION_TOCPU_TILECACHE_H
