// One program for several CPUs as a bundle.

#include "sparsam/Bundle/Bundle.h"
#include "../Program/Objects.h"
#include "Link.h"
#include "sparsam/Runtime/AheadOfTime.h"
#include "sparsam/Runtime/Runtime.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

llvm::Error check(Outcome outcome) {
  return outcome.failed() ? llvm::createStringError(outcome.reason())
                          : llvm::Error::success();
}

/// Takes the workspace out of each function, and says where it was.
llvm::Expected<std::map<std::string, BundleWorkspace>>
takeWorkspaces(std::vector<ProgramFunction> &functions) {
  std::map<std::string, BundleWorkspace> workspaces;
  for (ProgramFunction &function : functions) {
    auto found = llvm::find_if(function.arguments, [](const ProgramArgument &argument) {
      return argument.isWorkspace();
    });
    if (found == function.arguments.end())
      continue;
    if (found->elementType != "i8" || found->shape.size() != 1)
      return llvm::createStringError(
          "the workspace of function '" + function.name +
          "' must be of type memref<?xi8> of some size, found " + found->type);
    workspaces[function.name] = {static_cast<size_t>(found - function.arguments.begin()),
                                 found->bytes};
    function.arguments.erase(found);
    function.workspaceBytes = 0;
  }
  return workspaces;
}

/// What a bundle cannot hold, or another library could not call.
llvm::Error checkTypes(ArrayRef<ProgramFunction> functions) {
  for (const ProgramFunction &function : functions)
    for (auto [number, argument] : llvm::enumerate(function.arguments))
      if (!findElementType(argument.elementType))
        return llvm::createStringError(
            "function '" + function.name + "': " + argumentLabel(argument, number) +
            " has element type " + argument.elementType + ", which no array has");
  return llvm::Error::success();
}

bool areAlike(ArrayRef<ProgramFunction> functions, ArrayRef<ProgramFunction> others) {
  return llvm::equal(functions, others, [](const auto &one, const auto &other) {
    return one.name == other.name &&
           llvm::equal(one.arguments, other.arguments, [](const auto &a, const auto &b) {
             return a.type == b.type && a.role == b.role && a.result == b.result;
           });
  });
}

llvm::Expected<BundleVariant> compileVariant(const LoweredProgram &program,
                                             const CompileOptions &options,
                                             std::vector<ProgramFunction> &functions,
                                             std::map<std::string, std::string> &files) {
  PhaseTimes times;
  auto objects = compileObjects(program.module, program.cpu, options, times);
  if (!objects)
    return objects.takeError();
  auto workspaces = takeWorkspaces(objects->functions);
  if (!workspaces)
    return workspaces.takeError();
  LinkOptions link;
  link.exported.push_back((entryPrefix + llvm::Twine("*")).str());
  auto code = linkShared(objects->files, link);
  if (!code)
    return code.takeError();
  functions = std::move(objects->functions);
  if (llvm::Error error = checkTypes(functions))
    return error;
  BundleVariant variant;
  variant.cpu = program.cpu.name;
  variant.vectorBits = program.cpu.vectorBits;
  variant.features = requiredFeatures(program.cpu);
  variant.workspaces = std::move(*workspaces);
  variant.code = BundleFile::describe("", *code);
  // Other contents have another name, by which a process knows what it has loaded.
  variant.code.name = program.cpu.name + "-" +
                      llvm::utohexstr(variant.code.checksum, /*LowerCase=*/true) + ".so";
  files[variant.code.name] = std::move(*code);
  return variant;
}

} // namespace

std::vector<std::string> sparsam::getDefaultCpus() {
  StringRef baseline = Cpu::getTriple().isX86() ? "x86-64-v3" : "generic";
  std::vector<std::string> names{baseline.str()};
  llvm::Expected<Cpu> least = Cpu::get(baseline), own = Cpu::get("host");
  if (!least || !own) {
    llvm::consumeError(llvm::joinErrors(least.takeError(), own.takeError()));
    return names;
  }
  bool runs = llvm::all_of(requiredFeatures(*least), [](const std::string &feature) {
    return sparsam_cpu_has(feature.c_str());
  });
  if (!runs || own->vectorBits > least->vectorBits)
    names.emplace_back("host");
  return names;
}

llvm::Expected<std::vector<Cpu>> sparsam::findCpus(llvm::ArrayRef<std::string> names) {
  std::vector<Cpu> cpus;
  for (const std::string &name : names) {
    llvm::Expected<Cpu> cpu = Cpu::get(name);
    if (!cpu)
      return cpu.takeError();
    if (llvm::none_of(cpus,
                      [&](const Cpu &known) { return known.features == cpu->features; }))
      cpus.push_back(std::move(*cpu));
  }
  if (cpus.empty())
    return llvm::createStringError("there is no CPU to compile for");
  return cpus;
}

llvm::Error sparsam::writeBundle(StringRef path, ArrayRef<LoweredProgram> programs,
                                 const std::map<std::string, std::string> &extra,
                                 const CompileOptions &options) {
  Manifest manifest;
  manifest.sparsam = SPARSAM_VERSION;
  manifest.llvm = LLVM_VERSION_STRING;
  manifest.architecture = thisArchitecture();
  for (const auto &[name, contents] : extra)
    manifest.files.push_back(BundleFile::describe(name, contents));
  std::map<std::string, std::string> files = extra;
  for (const LoweredProgram &program : programs) {
    std::vector<ProgramFunction> functions;
    auto variant = compileVariant(program, options, functions, files);
    if (!variant)
      return variant.takeError();
    if (!manifest.variants.empty() && !areAlike(manifest.functions, functions))
      return llvm::createStringError("the functions for CPU '" + program.cpu.name +
                                     "' take other arguments than "
                                     "those for '" +
                                     manifest.variants.front().cpu + "'");
    manifest.functions = std::move(functions);
    manifest.variants.push_back(std::move(*variant));
  }
  Result<std::string> text = manifest.print();
  if (text.failed())
    return llvm::createStringError(text.reason());
  files[Manifest::fileName] = std::move(*text);
  return check(replaceBundle(path.str(), files));
}
