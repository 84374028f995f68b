// The part of sparsam-run that needs LLVM: a library of its own, opened for MLIR only.
#ifndef SPARSAM_TOOLS_COMPILER_H
#define SPARSAM_TOOLS_COMPILER_H

#include "Options.h"
#include "Steps.h"

namespace sparsam_run {

/// A file of MLIR, compiled.
class CompiledFile {
public:
  virtual ~CompiledFile() = default;

  virtual const mlir::sparsam::FunctionTable &table() const = 0;

  /// Of passes and code generation.
  virtual double seconds() const = 0;
};

/// What the library has under this name. Null after an error, which is printed.
using CompileFile = CompiledFile *(const Options &options);
inline constexpr const char *compileFileName = "sparsamRunCompile";

} // namespace sparsam_run

#endif // SPARSAM_TOOLS_COMPILER_H
