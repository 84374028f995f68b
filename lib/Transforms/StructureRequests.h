// The option of sparsam-apply-structure: globs and the structures asked for.
#ifndef SPARSAM_LIB_TRANSFORMS_STRUCTUREREQUESTS_H
#define SPARSAM_LIB_TRANSFORMS_STRUCTUREREQUESTS_H

#include "sparsam/IR/Structure.h"

namespace mlir::sparsam {

/// One `glob=structure`.
struct StructureRequest {
  std::string glob;
  /// Null for "dense".
  StructureInterface structure;
};

/// Parses `glob=structure;glob=structure`; the text after the first `=` of each is
/// the structure's.
FailureOr<SmallVector<StructureRequest>> parseStructureRequests(StringRef text,
                                                                Location loc);

/// Whether `path` matches `glob`, in which `*` stands for any characters, separators
/// included, and all else for itself.
bool matchesGlob(StringRef glob, StringRef path);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_STRUCTUREREQUESTS_H
