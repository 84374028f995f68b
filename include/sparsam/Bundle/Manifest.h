// What a bundle says of itself: manifest.json, see docs/AheadOfTime.md.
#ifndef SPARSAM_BUNDLE_MANIFEST_H
#define SPARSAM_BUNDLE_MANIFEST_H

#include "sparsam/Bundle/Result.h"
#include "sparsam/Bundle/Signature.h"

#include <map>

namespace mlir::sparsam {

/// A file of a bundle and what must be in it.
struct BundleFile {
  std::string name;
  uint64_t bytes = 0;
  uint32_t checksum = 0; ///< CRC-32

  SPARSAM_BUNDLE_API static BundleFile describe(std::string name,
                                                const std::string &contents);
};

/// The scratch memory of a function, which other code of it may need more or less of.
struct BundleWorkspace {
  size_t position; ///< among all arguments
  size_t bytes;
};

/// The code for one CPU.
struct BundleVariant {
  std::string cpu;
  int64_t vectorBits = 0;
  /// What the CPU must have, by LLVM's names.
  std::vector<std::string> features;
  BundleFile code;
  std::map<std::string, BundleWorkspace> workspaces;
};

struct SPARSAM_BUNDLE_API Manifest {
  /// Of the format that this library writes, and the newest that it reads.
  static constexpr int64_t format = 1;
  static constexpr const char *fileName = "manifest.json";

  /// The versions that made it.
  std::string sparsam, llvm;
  /// "x86_64"
  std::string architecture;
  /// As callers see them, without workspaces.
  std::vector<ProgramFunction> functions;
  /// The preferred ones first.
  std::vector<BundleVariant> variants;
  /// Those that are no code.
  std::vector<BundleFile> files;

  Result<std::string> print() const;
  static Result<Manifest> parse(const std::string &text);
};

/// The functions as the code of a variant takes them.
SPARSAM_BUNDLE_API Result<std::vector<ProgramFunction>>
addWorkspaces(std::vector<ProgramFunction> functions, const BundleVariant &variant);

} // namespace mlir::sparsam

#endif // SPARSAM_BUNDLE_MANIFEST_H
