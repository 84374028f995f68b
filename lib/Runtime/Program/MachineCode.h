#ifndef SPARSAM_LIB_RUNTIME_MACHINECODE_H
#define SPARSAM_LIB_RUNTIME_MACHINECODE_H

#include "sparsam/Runtime/Program.h"
#include "sparsam/Target/Cpu.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Module.h"

namespace mlir::sparsam {

using ObjectFiles = std::vector<std::unique_ptr<llvm::MemoryBuffer>>;

/// Optimises `module` at -O3 for `cpu` and compiles it to object files, several threads
/// at once on parts of it. Only functions that `isEntry` says yes to stay visible. Adds
/// to `times`.
llvm::Expected<ObjectFiles>
compileForCpu(std::unique_ptr<llvm::Module> module, const Cpu &cpu,
              llvm::function_ref<bool(llvm::StringRef)> isEntry, unsigned threads,
              PhaseTimes &times);

/// Object files loaded into this process. What they do not define themselves, they
/// find in the runtime library and the libraries that it links, and nowhere else.
class LoadedCode {
public:
  static llvm::Expected<std::unique_ptr<LoadedCode>> load(ObjectFiles objects);

  llvm::Expected<llvm::orc::ExecutorAddr> lookup(llvm::StringRef name);

private:
  /// What the session reports beside the error of a lookup, which names only what
  /// was asked for and not what is missing.
  std::vector<std::string> reported;
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_RUNTIME_MACHINECODE_H
