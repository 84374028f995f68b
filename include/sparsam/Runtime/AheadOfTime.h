// Programs as files, compiled ahead of time; see docs/AheadOfTime.md.
#ifndef SPARSAM_RUNTIME_AHEADOFTIME_H
#define SPARSAM_RUNTIME_AHEADOFTIME_H

#include "sparsam/Runtime/Program.h"
#include "sparsam/Target/Cpu.h"

#include <map>

namespace mlir::sparsam {

/// The CPUs that a bundle is for by default: a baseline, and this machine's where it has
/// wider vectors, or lacks what the baseline needs.
std::vector<std::string> getDefaultCpus();

/// The CPUs of these names, each once.
llvm::Expected<std::vector<Cpu>> findCpus(llvm::ArrayRef<std::string> names);

/// A module at the boundary with machine code, lowered for a CPU.
struct LoweredProgram {
  ModuleOp module;
  Cpu cpu;
};

/// Writes a bundle of one program, lowered for each of its CPUs, and of further files by
/// name. Replaces a bundle only once the new one is whole.
llvm::Error writeBundle(llvm::StringRef path, llvm::ArrayRef<LoweredProgram> programs,
                        const std::map<std::string, std::string> &files = {},
                        const CompileOptions &options = {});

/// Writes a shared library of C functions that needs libSparsamRuntime only, and the
/// header that declares them: step.h for libstep.so.
llvm::Error writeSharedLibrary(llvm::StringRef path, const LoweredProgram &program,
                               const CompileOptions &options = {});

/// Writes one object file with the same functions, and the header.
llvm::Error writeObject(llvm::StringRef path, const LoweredProgram &program,
                        const CompileOptions &options = {});

} // namespace mlir::sparsam

#endif // SPARSAM_RUNTIME_AHEADOFTIME_H
