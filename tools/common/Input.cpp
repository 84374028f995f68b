#include "Input.h"
#include "sparsam/Transforms/Boundary.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace sparsam_tools;

LogicalResult sparsam_tools::fail(StringRef tool, const llvm::Twine &message) {
  llvm::errs() << tool << ": error: " << message << "\n";
  return failure();
}

/// Whether a function says which of its arguments are parameters, or a pass found out.
static bool hasParameters(ModuleOp module) {
  WalkResult walk = module.walk([](FunctionOpInterface function) {
    for (unsigned i = 0, e = function.getNumArguments(); i != e; ++i)
      if (function.getArgAttr(i, boundary::param))
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return walk.wasInterrupted();
}

std::unique_ptr<Input> Input::read(StringRef tool, const std::string &path,
                                   const std::vector<std::string> &plugins) {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(path, &message);
  if (!file) {
    (void)fail(tool, message);
    return nullptr;
  }
  for (const std::string &plugin : plugins)
    if (llvm::Error error = loadDialectPlugin(plugin)) {
      (void)fail(tool, llvm::toString(std::move(error)));
      return nullptr;
    }
  DialectRegistry registry;
  registerProgramDialects(registry);
  registerProgramPasses();
  auto input = std::make_unique<Input>();
  input->tool = tool.str();
  input->context = std::make_unique<MLIRContext>(registry);
  // sparsam-import takes in marks of frameworks' own dialects by name.
  input->context->allowUnregisteredDialects();
  // A message names the place in the source; the operation as text can be pages.
  input->context->printOpOnDiagnostic(false);
  input->sources.AddNewSourceBuffer(std::move(file), llvm::SMLoc());
  input->handler =
      std::make_unique<SourceMgrDiagnosticHandler>(input->sources, input->context.get());
  input->module = parseSourceFile<ModuleOp>(input->sources, input->context.get());
  return input->module ? std::move(input) : nullptr;
}

OwningOpRef<ModuleOp> Input::lower(const std::optional<std::string> &pipeline,
                                   StringRef cpu, PhaseTimes &times) {
  OwningOpRef<ModuleOp> copy(module->clone());
  if (!cpu.empty())
    (*copy)->setAttr(cpuAttrName, StringAttr::get(context.get(), cpu));
  if (!pipeline && isAtProgramBoundary(*copy))
    return copy;
  std::string defaultPipeline = "sparsam-cpu-pipeline{" + pipelineOptions + "}";
  if (succeeded(runPipeline(*copy, pipeline.value_or(defaultPipeline), &times)))
    return copy;
  if (!pipeline && !hasParameters(*copy))
    llvm::errs() << tool
                 << ": note: a function that is no training step runs with --pipeline "
                    "sparsam-to-cpu\n";
  return {};
}
