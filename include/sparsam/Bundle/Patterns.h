// Index arrays from outside: kernels rely on them and do not look.
#ifndef SPARSAM_BUNDLE_PATTERNS_H
#define SPARSAM_BUNDLE_PATTERNS_H

#include "sparsam/Bundle/Signature.h"

namespace mlir::sparsam {

/// An array that is no part of a pattern, and why.
struct PatternFault {
  /// Its number among the arguments that a caller passes.
  size_t argument;
  std::string reason;
};

/// Checks the index arrays that a function reads, of one pointer per argument, the
/// workspace left out; null ones are left out, too.
SPARSAM_BUNDLE_API std::optional<PatternFault>
checkPatterns(const ProgramFunction &function, void *const *arrays);

} // namespace mlir::sparsam

#endif // SPARSAM_BUNDLE_PATTERNS_H
