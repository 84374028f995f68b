#ifndef SPARSAM_LIB_RUNTIME_HOSTCOMPILER_H
#define SPARSAM_LIB_RUNTIME_HOSTCOMPILER_H

#include "sparsam/Runtime/Program.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Module.h"

namespace mlir::sparsam {

/// What the names of functions that are called from outside begin with.
inline constexpr llvm::StringLiteral entryPrefix = "sparsam_entry_";

/// Optimises `module` at -O3 for this machine and compiles it to object files,
/// several threads at once on parts of it. Adds to `times`.
llvm::Expected<std::vector<std::unique_ptr<llvm::MemoryBuffer>>>
compileForHost(std::unique_ptr<llvm::Module> module, unsigned threads, PhaseTimes &times);

/// Object files loaded into this process. What they do not define themselves, they
/// find in the runtime library and the libraries that it links, and nowhere else.
class LoadedCode {
public:
  static llvm::Expected<std::unique_ptr<LoadedCode>>
  load(std::vector<std::unique_ptr<llvm::MemoryBuffer>> objects);

  llvm::Expected<llvm::orc::ExecutorAddr> lookup(llvm::StringRef name);

private:
  /// What the session reports beside the error of a lookup, which names only what
  /// was asked for and not what is missing.
  std::vector<std::string> reported;
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_RUNTIME_HOSTCOMPILER_H
