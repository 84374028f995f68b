#ifndef SPARSAM_LIB_RUNTIME_OBJECTS_H
#define SPARSAM_LIB_RUNTIME_OBJECTS_H

#include "MachineCode.h"

#include <chrono>

namespace mlir::sparsam {

/// Appends the seconds from its making to its end.
class Phase {
public:
  Phase(PhaseTimes &times, StringRef name)
      : times(times), name(name), start(std::chrono::steady_clock::now()) {}
  ~Phase() {
    std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    times.emplace_back(name.str(), passed.count());
  }

private:
  PhaseTimes &times;
  StringRef name;
  std::chrono::steady_clock::time_point start;
};

/// The public functions of a module at the boundary with machine code.
llvm::Expected<std::vector<ProgramFunction>> describeProgram(ModuleOp module);

/// Says of index tensors among the arguments what they must hold.
void addIndexRules(llvm::MutableArrayRef<ProgramFunction> functions,
                   MLIRContext &context);

/// The features of a CPU that its instructions are chosen by.
std::vector<std::string> requiredFeatures(const Cpu &cpu);

/// A module as machine code that nothing has linked yet.
struct CompiledObjects {
  std::vector<ProgramFunction> functions;
  ObjectFiles files;
};

/// Compiles a clone of `module` for `cpu`. `finish` may add functions to the LLVM module;
/// they, of which it returns the names, are then visible instead of the entries.
using FinishModule = llvm::function_ref<std::vector<std::string>(
    llvm::Module &, llvm::ArrayRef<ProgramFunction>)>;
llvm::Expected<CompiledObjects> compileObjects(ModuleOp module, const Cpu &cpu,
                                               const CompileOptions &options,
                                               PhaseTimes &times,
                                               FinishModule finish = nullptr);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_RUNTIME_OBJECTS_H
