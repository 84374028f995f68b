// A file of MLIR, at any level, on the way to machine code.
#ifndef SPARSAM_TOOLS_INPUT_H
#define SPARSAM_TOOLS_INPUT_H

#include "sparsam/Runtime/Program.h"
#include "sparsam/Target/Cpu.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/SourceMgr.h"

#include <optional>

namespace sparsam_tools {

/// Prints a message of the tool called `tool`; always a failure.
llvm::LogicalResult fail(llvm::StringRef tool, const llvm::Twine &message);

/// A parsed file, and the context that knows everything that it may hold.
class Input {
public:
  /// Null after an error, which is printed.
  static std::unique_ptr<Input> read(llvm::StringRef tool, const std::string &path,
                                     const std::vector<std::string> &plugins);

  /// A copy that is taken down to the boundary with machine code, for a CPU if one is
  /// named: by `pipeline`, or by sparsam-cpu-pipeline where it is not there already. None
  /// after an error.
  mlir::OwningOpRef<mlir::ModuleOp> lower(const std::optional<std::string> &pipeline,
                                          llvm::StringRef cpu,
                                          mlir::sparsam::PhaseTimes &times);

  /// Options of the pipeline that `lower` runs by default.
  void setPipelineOptions(const std::string &options) { pipelineOptions = options; }

  mlir::MLIRContext &getContext() { return *context; }

private:
  std::string tool, pipelineOptions;
  std::unique_ptr<mlir::MLIRContext> context;
  llvm::SourceMgr sources;
  std::unique_ptr<mlir::SourceMgrDiagnosticHandler> handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace sparsam_tools

#endif // SPARSAM_TOOLS_INPUT_H
