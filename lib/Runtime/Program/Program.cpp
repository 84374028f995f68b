#include "sparsam/Runtime/Program.h"
#include "Objects.h"
#include "sparsam/Runtime/Runtime.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// An error for a CPU whose code this machine could not run.
llvm::Error checkRuns(const Cpu &cpu) {
  std::vector<std::string> missing = requiredFeatures(cpu);
  llvm::erase_if(missing, [](const std::string &feature) {
    return sparsam_cpu_has(feature.c_str());
  });
  if (missing.empty())
    return llvm::Error::success();
  return llvm::createStringError("this machine cannot run code for CPU '" + cpu.name +
                                 "': it lacks " + llvm::join(missing, ", "));
}

} // namespace

struct Program::Implementation {
  PhaseTimes times;
  std::unique_ptr<LoadedCode> code;
  std::unique_ptr<FunctionTable> table;

  llvm::Error compile(ModuleOp module, const CompileOptions &options);
};

llvm::Error Program::Implementation::compile(ModuleOp module,
                                             const CompileOptions &options) {
  llvm::Expected<Cpu> cpu = Cpu::get(options.cpu, module);
  if (!cpu)
    return cpu.takeError();
  if (llvm::Error error = checkRuns(*cpu))
    return error;
  auto objects = compileObjects(module, *cpu, options, times);
  if (!objects)
    return objects.takeError();
  Phase phase(times, "load");
  auto loaded = LoadedCode::load(std::move(objects->files));
  if (!loaded)
    return loaded.takeError();
  code = std::move(*loaded);
  auto lookup = [&](const std::string &name) -> Result<FunctionTable::Entry> {
    auto address = code->lookup(name);
    if (!address)
      return Failure{llvm::toString(address.takeError())};
    return address->toPtr<FunctionTable::Entry>();
  };
  auto made = FunctionTable::create(std::move(objects->functions), lookup);
  if (made.failed())
    return llvm::createStringError(made.reason());
  table = std::move(*made);
  return llvm::Error::success();
}

Program::Program() : implementation(std::make_unique<Implementation>()) {}
Program::~Program() = default;

llvm::Expected<std::unique_ptr<Program>> Program::compile(ModuleOp module,
                                                          const CompileOptions &options) {
  std::unique_ptr<Program> program(new Program);
  if (llvm::Error error = program->implementation->compile(module, options))
    return error;
  return program;
}

const FunctionTable &Program::table() const { return *implementation->table; }

const std::vector<ProgramFunction> &Program::functions() const {
  return table().functions();
}

const ProgramFunction *Program::find(StringRef name) const { return table().find(name); }

const PhaseTimes &Program::times() const { return implementation->times; }

llvm::Error Program::call(const ProgramFunction &function, ArrayRef<void *> arrays) {
  Outcome outcome = table().call(function, arrays.data(), arrays.size());
  return outcome.failed() ? llvm::createStringError(outcome.reason())
                          : llvm::Error::success();
}

std::vector<ProfileEntry> sparsam::takeProfile() {
  std::vector<ProfileEntry> entries;
  sparsam_profile_take(
      [](const char *name, int64_t calls, double seconds, void *context) {
        static_cast<std::vector<ProfileEntry> *>(context)->push_back(
            {name, calls, seconds});
      },
      &entries);
  llvm::sort(entries, [](const ProfileEntry &a, const ProfileEntry &b) {
    return std::tie(b.seconds, a.name) < std::tie(a.seconds, b.name);
  });
  return entries;
}
