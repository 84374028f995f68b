#ifndef SPARSAM_TOOLS_PLACEHOLDERS_H
#define SPARSAM_TOOLS_PLACEHOLDERS_H

#include "Steps.h"

namespace sparsam_run {

/// Arrays for `function` to run on where there are none: parameters between -0.1 and 0.1
/// and other floating-point numbers between 0 and 1, random and the same in each run;
/// optimizer state and integers are zero. Patterns are what the program's function
/// `compress` selects; without it they are a failure.
Result<Arrays> makePlaceholders(const mlir::sparsam::FunctionTable &program,
                                const mlir::sparsam::ProgramFunction &function);

} // namespace sparsam_run

#endif // SPARSAM_TOOLS_PLACEHOLDERS_H
