#ifndef SPARSAM_RUNTIME_PROGRAM_H
#define SPARSAM_RUNTIME_PROGRAM_H

#include "sparsam/Bundle/FunctionTable.h"
#include "sparsam/Runtime/Signature.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <memory>

namespace mlir {
class DialectRegistry;
namespace sparsam {

struct CompileOptions {
  /// Run before compilation. From the boundary with the JIT (what sparsam-to-cpu
  /// leaves) to the LLVM dialect.
  std::string pipeline = "sparsam-lower-to-llvm";
  /// Threads that compile; 0 is one a core.
  unsigned threads = 0;
  /// As clang's -mcpu takes it, or "host"; by default the one that the module's
  /// `sparsam.cpu` names, or else this machine's.
  std::string cpu;
  /// Time each kernel and library call of the functions, for takeProfile().
  bool profile = false;
};

/// Seconds of each phase of a compilation, in order.
using PhaseTimes = std::vector<std::pair<std::string, double>>;

/// The public functions of a module, compiled for a CPU that this machine can run code
/// for, and loaded.
///
/// The module is at the boundary with the JIT: public functions on static memrefs
/// of identity layout, without results (`sparsam.updates`, `sparsam.result` and
/// `sparsam.workspace` on the arguments say where results go).
class Program {
public:
  /// Compiles a clone of `module`. What goes wrong while passes run is emitted as
  /// diagnostics of the module's context, and the error says only which phase it
  /// was. The context must have had registerProgramDialects().
  static llvm::Expected<std::unique_ptr<Program>>
  compile(ModuleOp module, const CompileOptions &options = {});
  ~Program();

  const std::vector<ProgramFunction> &functions() const;
  /// Null if there is no such public function.
  const ProgramFunction *find(llvm::StringRef name) const;

  /// Calls a function of this program on one pointer per argument, the workspace
  /// left out. Written arrays must not overlap any other array; that is checked.
  /// Safe from several threads; calls in a process run one after the other.
  llvm::Error call(const ProgramFunction &function, llvm::ArrayRef<void *> arrays);

  /// The same functions as code sees them that knows no LLVM.
  const FunctionTable &table() const;

  const PhaseTimes &times() const;

private:
  Program();
  struct Implementation;
  std::unique_ptr<Implementation> implementation;
};

/// What a kernel or a library routine of profiled programs has spent.
struct ProfileEntry {
  std::string name;
  int64_t calls;
  double seconds;
};

/// The parts that took longest first, since the last time this was asked.
std::vector<ProfileEntry> takeProfile();

/// Whether every public function is at the boundary with the JIT already.
bool isAtProgramBoundary(ModuleOp module);

/// Everything that a context needs to parse, lower and compile programs: upstream's
/// dialects and extensions, Sparsam's, and the translations to LLVM IR.
void registerProgramDialects(DialectRegistry &registry);

/// Loads a shared library with structures, or dialects, of its own, as mlir-opt's
/// --load-dialect-plugin does. Every later registerProgramDialects() knows them too.
llvm::Error loadDialectPlugin(llvm::StringRef path);

/// All passes and pipelines, upstream's and Sparsam's. Once in a process is enough.
void registerProgramPasses();

/// `text` as a pipeline on a module: "a,b" means "builtin.module(a,b)". Runs it,
/// with the seconds of each pass added to `times` if that is not null.
LogicalResult runPipeline(ModuleOp module, llvm::StringRef text,
                          PhaseTimes *times = nullptr);

} // namespace sparsam
} // namespace mlir

#endif // SPARSAM_RUNTIME_PROGRAM_H
