// What runs is in a bundle, or compiled from MLIR by a library that is opened for it, so
// that bundles run where there is no LLVM.

#include "Compiler.h"
#include "Patterns.h"
#include "Placeholders.h"
#include "sparsam/Bundle/Bundle.h"
#include "sparsam/Runtime/Runtime.h"

#include <algorithm>
#include <cstdio>

#include <dlfcn.h>
#include <unistd.h>

using namespace mlir::sparsam;
using namespace sparsam_run;

namespace {

/// Prints a message; never true.
bool fail(const std::string &message) {
  std::fprintf(stderr, "sparsam-run: error: %s\n", message.c_str());
  return false;
}

/// Null after an error.
const ProgramFunction *choose(const FunctionTable &program, const std::string &wanted) {
  if (wanted.empty() && program.functions().size() == 1)
    return &program.functions().front();
  const ProgramFunction *function = program.find(wanted.empty() ? "step" : wanted);
  // What frameworks' importers call it.
  if (!function && wanted.empty())
    function = program.find("main");
  if (!function)
    fail((wanted.empty() ? "say which --function to run, none is 'step' or 'main'"
                         : "no public function '" + wanted + "' in the module") +
         "; there are " + functionNames(program.functions()));
  return function;
}

bool readsArrays(const ProgramFunction &function) {
  std::vector<NamedArgument> arguments = namedArguments(function);
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const NamedArgument &any) { return any.isRead(); });
}

void describe(const ProgramFunction &function) {
  for (const NamedArgument &named : namedArguments(function)) {
    std::string role(roleName(named.argument->role));
    std::printf("%-7s %s  %s %s\n", role.c_str(), named.name.c_str(),
                elementText(*named.argument).c_str(),
                shapeText(named.argument->shape).c_str());
  }
  std::printf("workspace: %zu bytes\n", function.workspaceBytes);
}

/// The first step, which also warms caches and starts threads, is told apart from the
/// rest.
void printTimes(std::vector<double> seconds) {
  size_t count = seconds.size();
  std::printf("%zu %s, ms a step: first %.3f", count, count == 1 ? "step" : "steps",
              1e3 * seconds.front());
  seconds.erase(seconds.begin());
  std::sort(seconds.begin(), seconds.end());
  size_t middle = seconds.size() / 2;
  if (count == 2)
    std::printf(", second %.3f", 1e3 * seconds.front());
  else if (count > 2)
    std::printf(", then min %.3f, median %.3f, max %.3f", 1e3 * seconds.front(),
                5e2 * (seconds[middle] + seconds[seconds.size() - 1 - middle]),
                1e3 * seconds.back());
  std::printf("\n");
}

void printSummary(std::vector<double> seconds, const Bindings &bindings) {
  for (const auto &[name, array] : bindings.results())
    if (array->shape.empty() && array->kind == 'f' && array->itemBytes == 4)
      std::printf("%s = %.7g\n", name.c_str(), *reinterpret_cast<float *>(array->data()));
  printTimes(std::move(seconds));
}

/// The arrays of a function, from a file and new ones.
Result<Bindings> bind(const FunctionTable &program, const ProgramFunction &function,
                      const Options &options) {
  Arrays given;
  if (!options.args.empty()) {
    Result<Arrays> read = readNpz(options.args);
    if (read.failed())
      return read.failure();
    given = std::move(*read);
  } else if (readsArrays(function)) {
    // A file of results that mean nothing would be a trap.
    if (!options.results.empty())
      return Failure{"--results needs --args: what '" + function.name +
                     "' computes of numbers that are made up is no result"};
    std::fprintf(
        stderr,
        "sparsam-run: note: without --args, parameters and floating-point inputs "
        "of '%s' are random, optimizer state and integers are zero\n",
        function.name.c_str());
    Result<Arrays> made = makePlaceholders(program, function);
    if (made.failed())
      return made.failure();
    given = std::move(*made);
  }
  Result<Bindings> bindings =
      Bindings::create(program, function, std::move(given), options.args);
  if (bindings.failed())
    return bindings;
  Outcome checked = checkIndexArrays(function, *bindings, options.args);
  return checked.failed() ? Failure{checked.reason()} : std::move(bindings);
}

/// Chooses a function of a program and runs it.
bool run(const FunctionTable &program, const Options &options) {
  const ProgramFunction *function = choose(program, options.function);
  if (!function)
    return false;
  if (options.describe) {
    describe(*function);
    return true;
  }
  Result<Bindings> bindings = bind(program, *function, options);
  if (bindings.failed())
    return fail(bindings.reason());
  if (!options.results.empty())
    if (Outcome writable = checkWritable(options.results); writable.failed())
      return fail(writable.reason());

  sparsam_set_num_threads(static_cast<int32_t>(options.threads));
  bool bar = options.progress.value_or(isatty(STDERR_FILENO));
  Result<std::vector<double>> seconds =
      runSteps(program, *function, *bindings, options.steps, bar);
  if (seconds.failed())
    return fail(seconds.reason());
  if (!options.results.empty())
    if (Outcome written = writeNpz(options.results, bindings->results());
        written.failed())
      return fail(written.reason());
  printSummary(*seconds, *bindings);
  return true;
}

bool runBundle(const Options &options) {
  if (options.pipeline || !options.cpu.empty() || !options.plugins.empty())
    return fail("'" + options.input +
                "' is a bundle, which is compiled already: --pipeline, --cpu and "
                "--load-dialect-plugin are for sparsam-compile");
  Result<std::unique_ptr<Bundle>> bundle = Bundle::open(options.input);
  if (bundle.failed())
    return fail(bundle.reason());
  if (!run((*bundle)->table(), options))
    return false;
  if (!options.describe)
    std::printf("compiled ahead of time for %s\n", (*bundle)->variant().cpu.c_str());
  return true;
}

bool compileAndRun(const Options &options) {
  void *library = dlopen("libSparsamRunCompiler.so", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fail(std::string("the compiler cannot be loaded (a bundle of sparsam-compile "
                            "would not need it): ") +
                dlerror());
  auto *compile = reinterpret_cast<CompileFile *>(dlsym(library, compileFileName));
  std::unique_ptr<CompiledFile> compiled(compile(options));
  if (!compiled || !run(compiled->table(), options))
    return false;
  if (!options.describe)
    std::printf("compiled in %.2f s\n", compiled->seconds());
  return true;
}

} // namespace

int main(int argc, char **argv) {
  int exitCode;
  std::optional<Options> options = parseOptions(argc, argv, exitCode);
  if (!options)
    return exitCode;
  return (isBundle(options->input) ? runBundle(*options) : compileAndRun(*options)) ? 0
                                                                                    : 1;
}
