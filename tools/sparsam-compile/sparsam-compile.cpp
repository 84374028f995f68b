#include "../common/Input.h"
#include "Options.h"
#include "sparsam/Bundle/Bundle.h"
#include "sparsam/Runtime/AheadOfTime.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace sparsam_compile;

namespace {

constexpr llvm::StringLiteral tool = "sparsam-compile";

LogicalResult fail(llvm::Error error) {
  return sparsam_tools::fail(tool, llvm::toString(std::move(error)));
}

std::vector<std::string> cpuNames(const Options &options) {
  if (!options.cpus.empty())
    return options.cpus;
  std::vector<std::string> names = getDefaultCpus();
  // A library is for one of them, the baseline.
  if (options.product != Product::Bundle)
    names.resize(1);
  return names;
}

llvm::Error write(const Options &options, ArrayRef<LoweredProgram> programs) {
  switch (options.product) {
  case Product::Bundle:
    return writeBundle(options.output, programs);
  case Product::SharedLibrary:
    return writeSharedLibrary(options.output, programs.front());
  case Product::Object:
    return writeObject(options.output, programs.front());
  }
  return llvm::Error::success();
}

LogicalResult run(const Options &options) {
  // Compiling can take minutes.
  Outcome writable = options.product == Product::Bundle ? checkBundlePath(options.output)
                                                        : checkFilePath(options.output);
  if (writable.failed())
    return sparsam_tools::fail(tool, writable.reason());
  std::vector<std::string> names = cpuNames(options);
  llvm::Expected<std::vector<Cpu>> cpus = findCpus(names);
  if (!cpus)
    return fail(cpus.takeError());
  std::unique_ptr<sparsam_tools::Input> input =
      sparsam_tools::Input::read(tool, options.input, options.plugins);
  if (!input)
    return failure();
  if (!options.tiles.empty())
    input->setPipelineOptions("tiles='" + options.tiles +
                              "' threads=" + std::to_string(options.threads));
  PhaseTimes times;
  SmallVector<OwningOpRef<ModuleOp>> modules;
  SmallVector<LoweredProgram> programs;
  for (Cpu &cpu : *cpus) {
    // What is remarked on for one CPU is for all.
    bool isFirst = programs.empty();
    ScopedDiagnosticHandler once(&input->getContext(), [&](Diagnostic &diagnostic) {
      return success(!isFirst && diagnostic.getSeverity() != DiagnosticSeverity::Error);
    });
    modules.push_back(input->lower(options.pipeline, cpu.spelling, times));
    if (!modules.back())
      return failure();
    programs.push_back({*modules.back(), std::move(cpu)});
  }
  if (llvm::Error error = write(options, programs))
    return fail(std::move(error));
  return success();
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM initialize(argc, argv);
  int exitCode;
  std::optional<Options> options = parseOptions(argc, argv, exitCode);
  return options ? failed(run(*options)) : exitCode;
}
