#include "Options.h"
#include "Patterns.h"
#include "Steps.h"
#include "sparsam/Runtime/Runtime.h"
#include "sparsam/Transforms/Boundary.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace sparsam_run;

namespace {

LogicalResult fail(const llvm::Twine &message) {
  llvm::errs() << "sparsam-run: error: " << message << "\n";
  return failure();
}

LogicalResult fail(llvm::Error error) { return fail(llvm::toString(std::move(error))); }

std::string names(const Program &program) {
  std::string text;
  for (const ProgramFunction &function : program.functions())
    text += (text.empty() ? "'" : ", '") + function.name + "'";
  return text;
}

/// Null after an error.
const ProgramFunction *choose(const Program &program, const std::string &wanted) {
  if (wanted.empty() && program.functions().size() == 1)
    return &program.functions().front();
  const ProgramFunction *function = program.find(wanted.empty() ? "step" : wanted);
  if (!function)
    (void)fail((wanted.empty() ? "say which --function to run"
                               : "no public function '" + wanted + "' in the module") +
               "; there are " + names(program));
  return function;
}

void describe(const ProgramFunction &function) {
  for (const NamedArgument &named : namedArguments(function)) {
    using Role = ProgramArgument::Role;
    const ProgramArgument &argument = *named.argument;
    const ElementType *type = findElementType(argument.elementType);
    llvm::outs() << (argument.role == Role::Input     ? "input   "
                     : argument.role == Role::Updated ? "updated "
                                                      : "result  ")
                 << named.name << "  "
                 << (type ? type->numpy.str() : argument.elementType) << " "
                 << shapeText(argument.shape) << "\n";
  }
  llvm::outs() << "workspace: " << function.workspaceBytes << " bytes\n";
}

/// Whether a function says which of its arguments are parameters, or a pass found out.
bool hasParameters(ModuleOp module) {
  WalkResult walk = module.walk([](FunctionOpInterface function) {
    for (unsigned i = 0, e = function.getNumArguments(); i != e; ++i)
      if (function.getArgAttr(i, boundary::param))
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return walk.wasInterrupted();
}

/// Takes the module down to the boundary with the JIT.
LogicalResult lower(ModuleOp module, const Options &options, PhaseTimes &times) {
  if (!options.pipeline && isAtProgramBoundary(module))
    return success();
  if (succeeded(
          runPipeline(module, options.pipeline.value_or("sparsam-cpu-pipeline"), &times)))
    return success();
  if (!options.pipeline && !hasParameters(module))
    llvm::errs() << "sparsam-run: note: a function that is no training step runs with "
                    "--pipeline sparsam-to-cpu\n";
  return failure();
}

void printSummary(std::vector<double> seconds, const Bindings &bindings) {
  for (const auto &[name, array] : bindings.results())
    if (array->shape.empty() && array->kind == 'f' && array->itemBytes == 4)
      llvm::outs() << name << " = "
                   << llvm::format("%.7g\n", *reinterpret_cast<float *>(array->data()));
  double first = seconds.front();
  llvm::sort(seconds);
  llvm::outs() << seconds.size() << (seconds.size() == 1 ? " step" : " steps")
               << llvm::format(
                      ", ms a step: min %.3f, median %.3f, max %.3f, first %.3f\n",
                      1e3 * seconds.front(), 1e3 * seconds[seconds.size() / 2],
                      1e3 * seconds.back(), 1e3 * first);
}

LogicalResult run(const Options &options) {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(options.input, &message);
  if (!file)
    return fail(message);

  for (const std::string &plugin : options.plugins)
    if (llvm::Error error = loadDialectPlugin(plugin))
      return fail(std::move(error));
  DialectRegistry registry;
  registerProgramDialects(registry);
  registerProgramPasses();
  MLIRContext context(registry);
  // sparsam-import takes in marks of frameworks' own dialects by name.
  context.allowUnregisteredDialects();
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(file), llvm::SMLoc());
  SourceMgrDiagnosticHandler handler(sources, &context);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module)
    return failure();
  PhaseTimes passes;
  if (failed(lower(*module, options, passes)))
    return failure();
  llvm::Expected<std::unique_ptr<Program>> program = Program::compile(*module);
  if (!program)
    return fail(program.takeError());

  const ProgramFunction *function = choose(**program, options.function);
  if (!function)
    return failure();
  if (options.describe) {
    describe(*function);
    return success();
  }
  Arrays given;
  if (!options.args.empty()) {
    llvm::Expected<Arrays> read = readNpz(options.args);
    if (!read)
      return fail(read.takeError());
    given = std::move(*read);
  }
  llvm::Expected<Bindings> bindings =
      Bindings::create(**program, *function, std::move(given), options.args);
  if (!bindings)
    return fail(bindings.takeError());
  if (llvm::Error error =
          checkPatterns(**program, *function, *bindings, options.args, context))
    return fail(std::move(error));

  if (!options.results.empty())
    if (llvm::Error error = checkWritable(options.results))
      return fail(std::move(error));

  sparsam_set_num_threads(options.threads);
  bool bar = options.progress.value_or(llvm::sys::Process::StandardErrIsDisplayed());
  llvm::Expected<std::vector<double>> seconds =
      runSteps(**program, *function, *bindings, options.steps, bar);
  if (!seconds)
    return fail(seconds.takeError());
  if (!options.results.empty())
    if (llvm::Error error = writeNpz(options.results, bindings->results()))
      return fail(std::move(error));

  PhaseTimes phases = passes;
  llvm::append_range(phases, (*program)->times());
  double compile = 0;
  for (const auto &[name, time] : phases)
    compile += time;
  printSummary(*seconds, *bindings);
  llvm::outs() << llvm::format("compiled in %.2f s\n", compile);
  return success();
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM initialize(argc, argv);
  int exitCode;
  std::optional<Options> options = parseOptions(argc, argv, exitCode);
  return options ? failed(run(*options)) : exitCode;
}
