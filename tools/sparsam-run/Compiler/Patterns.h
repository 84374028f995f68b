#ifndef SPARSAM_TOOLS_PATTERNS_H
#define SPARSAM_TOOLS_PATTERNS_H

#include "../Steps.h"
#include "sparsam/Runtime/Program.h"

namespace mlir {
class MLIRContext;
}

namespace sparsam_run {

/// See `CompiledFile::checkPatterns`.
Outcome checkPatterns(const mlir::sparsam::Program &program,
                      const std::vector<NamedArgument> &arguments,
                      const std::vector<void *> &data, const std::string &path,
                      mlir::MLIRContext &context);

} // namespace sparsam_run

#endif // SPARSAM_TOOLS_PATTERNS_H
