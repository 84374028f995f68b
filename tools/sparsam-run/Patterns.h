#ifndef SPARSAM_TOOLS_PATTERNS_H
#define SPARSAM_TOOLS_PATTERNS_H

#include "Npz.h"
#include "sparsam/Runtime/Program.h"

namespace mlir {
class MLIRContext;
}

namespace sparsam_run {

/// Checks that the index arrays that `function` takes out of `given`, which came from the
/// file `path`, are patterns of their parameters' structures: kernels rely on it and do
/// not look. Arrays that are missing or of another type are somebody else's error.
llvm::Error checkPatterns(const mlir::sparsam::Program &program,
                          const mlir::sparsam::ProgramFunction &function,
                          const Arrays &given, const std::string &path,
                          mlir::MLIRContext &context);

} // namespace sparsam_run

#endif // SPARSAM_TOOLS_PATTERNS_H
