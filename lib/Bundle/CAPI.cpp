#include "sparsam-c/Bundle.h"
#include "sparsam/Bundle/ArgumentRole.h"
#include "sparsam/Bundle/Bundle.h"

using namespace mlir::sparsam;

struct SparsamBundle {
  std::unique_ptr<Bundle> bundle;
};

static thread_local std::string lastError;

/// As callers see it.
static const ProgramFunction &functionAt(const SparsamBundle *bundle, intptr_t function) {
  return bundle->bundle->manifest().functions[static_cast<size_t>(function)];
}

static const char *textOf(const ProgramArgument &argument, const char *attribute) {
  const std::string *text = argument.text(attribute);
  return text ? text->c_str() : nullptr;
}

SparsamBundle *sparsamBundleOpen(const char *path) {
  Result<std::unique_ptr<Bundle>> opened = Bundle::open(path);
  if (!opened.failed())
    return new SparsamBundle{std::move(*opened)};
  lastError = opened.reason();
  return nullptr;
}

void sparsamBundleClose(SparsamBundle *bundle) { delete bundle; }

const char *sparsamBundleGetError() { return lastError.c_str(); }

const char *sparsamBundleGetCpu(const SparsamBundle *bundle) {
  return bundle->bundle->variant().cpu.c_str();
}

intptr_t sparsamBundleGetNumFunctions(const SparsamBundle *bundle) {
  return static_cast<intptr_t>(bundle->bundle->manifest().functions.size());
}

const char *sparsamBundleGetFunctionName(const SparsamBundle *bundle, intptr_t function) {
  return functionAt(bundle, function).name.c_str();
}

intptr_t sparsamBundleFindFunction(const SparsamBundle *bundle, const char *name) {
  const FunctionTable &table = bundle->bundle->table();
  const ProgramFunction *found = table.find(name);
  return found ? found - table.functions().data() : -1;
}

intptr_t sparsamBundleGetNumArguments(const SparsamBundle *bundle, intptr_t function) {
  return static_cast<intptr_t>(functionAt(bundle, function).arguments.size());
}

SparsamBundleArgument sparsamBundleGetArgument(const SparsamBundle *bundle,
                                               intptr_t function, intptr_t argument) {
  const ProgramArgument &found =
      functionAt(bundle, function).arguments[static_cast<size_t>(argument)];
  return {textOf(found, "sparsam.name"),
          textOf(found, "sparsam.param"),
          textOf(found, "sparsam.part"),
          roleInC(found),
          found.result,
          found.elementType.c_str(),
          static_cast<intptr_t>(found.shape.size()),
          found.shape.data(),
          found.bytes};
}

int sparsamBundleCall(SparsamBundle *bundle, intptr_t function, intptr_t numArrays,
                      void *const *arrays) {
  const FunctionTable &table = bundle->bundle->table();
  Outcome outcome = table.call(table.functions()[static_cast<size_t>(function)], arrays,
                               static_cast<size_t>(numArrays));
  if (!outcome.failed())
    return 0;
  lastError = outcome.reason();
  return 1;
}
