#ifndef SPARSAM_LIB_RUNTIME_CFUNCTIONS_H
#define SPARSAM_LIB_RUNTIME_CFUNCTIONS_H

#include "sparsam/Bundle/Signature.h"
#include "sparsam/Target/Cpu.h"

#include "llvm/IR/Module.h"

namespace mlir::sparsam {

/// How a function of a program is called from C: a pointer an argument, and the
/// workspace.
struct CFunction {
  const ProgramFunction *function;
  std::string name;
  /// Of those that a caller passes, in order.
  std::vector<std::string> parameters;
};

/// The C functions of a library, whose names begin with that of the library.
std::vector<CFunction> nameCFunctions(llvm::ArrayRef<ProgramFunction> functions,
                                      llvm::StringRef library);

/// Defines them in terms of the functions' entries; they check that the CPU has
/// `features`.
void addCFunctions(llvm::Module &module, llvm::ArrayRef<CFunction> functions,
                   llvm::ArrayRef<std::string> features);

/// The header that declares them.
std::string printHeader(llvm::ArrayRef<CFunction> functions, llvm::StringRef library,
                        const Cpu &cpu);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_RUNTIME_CFUNCTIONS_H
