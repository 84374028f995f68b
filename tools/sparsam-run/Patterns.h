#ifndef SPARSAM_TOOLS_PATTERNS_H
#define SPARSAM_TOOLS_PATTERNS_H

#include "Steps.h"

namespace sparsam_run {

/// Checks that the index arrays that `function` reads, which came from the file `path`,
/// are patterns of their parameters' structures: kernels rely on it and do not look.
Outcome checkIndexArrays(const mlir::sparsam::ProgramFunction &function,
                         const Bindings &bindings, const std::string &path);

} // namespace sparsam_run

#endif // SPARSAM_TOOLS_PATTERNS_H
