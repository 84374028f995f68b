#include "sparsam/Bundle/FunctionTable.h"
#include "sparsam/Runtime/Runtime.h"

#include <algorithm>
#include <cstdlib>
#include <deque>

#ifdef __linux__
#include <sys/mman.h>
#endif

using namespace mlir::sparsam;

namespace {

constexpr size_t workspaceAlignment = SPARSAM_WORKSPACE_ALIGNMENT;
/// Of the large pages that systems have beside those of 4 KiB.
constexpr size_t largePageBytes = size_t(2) << 20;

/// Null where there is no memory. Kernels walk panels side by side, each on a page of
/// its own: pages of 4 KiB are more than a processor keeps translations of.
void *allocate(size_t bytes) {
  bool large = bytes >= largePageBytes;
  size_t alignment = large ? largePageBytes : workspaceAlignment;
  size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void *memory = std::aligned_alloc(alignment, rounded);
#ifdef MADV_HUGEPAGE
  // Advice: where it is not taken, the memory is as good.
  if (memory && large)
    madvise(memory, rounded, MADV_HUGEPAGE);
#endif
  return memory;
}

struct Free {
  void operator()(void *memory) const { std::free(memory); }
};

int32_t runtimeRole(ProgramArgument::Role role) {
  switch (role) {
  case ProgramArgument::Role::Input:
    return SPARSAM_ROLE_READ;
  case ProgramArgument::Role::Updated:
  case ProgramArgument::Role::Result:
    return SPARSAM_ROLE_WRITTEN;
  case ProgramArgument::Role::Workspace:
    return SPARSAM_ROLE_WORKSPACE;
  }
  return SPARSAM_ROLE_WRITTEN;
}

/// A function as the runtime takes it, on text and shapes that live here and there.
struct Callable {
  Callable(const ProgramFunction &function, FunctionTable::Entry entry) {
    for (const ProgramArgument &argument : function.arguments) {
      labels.push_back(argumentLabel(argument, arguments.size()));
      arguments.push_back({labels.back().c_str(), runtimeRole(argument.role),
                           static_cast<int32_t>(argument.shape.size()),
                           argument.shape.data(), static_cast<int64_t>(argument.bytes)});
    }
    described = {function.name.c_str(), entry, static_cast<int64_t>(arguments.size()),
                 arguments.data(), nullptr};
  }

  std::deque<std::string> labels;
  std::vector<sparsam_argument> arguments;
  sparsam_function described;
};

} // namespace

struct FunctionTable::Implementation {
  std::vector<ProgramFunction> functions;
  std::deque<Callable> callables;
  /// Of the largest function; one call at a time uses it.
  std::unique_ptr<void, Free> workspace;
};

FunctionTable::FunctionTable() : implementation(std::make_unique<Implementation>()) {}
FunctionTable::~FunctionTable() = default;

Result<std::unique_ptr<FunctionTable>>
FunctionTable::create(std::vector<ProgramFunction> functions, const Lookup &lookup) {
  std::unique_ptr<FunctionTable> table(new FunctionTable);
  Implementation &made = *table->implementation;
  made.functions = std::move(functions);
  size_t largest = 0;
  for (const ProgramFunction &function : made.functions) {
    Result<Entry> entry = lookup(std::string(entryPrefix) + function.name);
    if (entry.failed())
      return entry.failure();
    made.callables.emplace_back(function, *entry);
    largest = std::max(largest, function.workspaceBytes);
  }
  if (largest) {
    made.workspace.reset(allocate(largest));
    if (!made.workspace)
      return Failure{"cannot allocate a workspace of " + std::to_string(largest) +
                     " bytes"};
  }
  return table;
}

const std::vector<ProgramFunction> &FunctionTable::functions() const {
  return implementation->functions;
}

const ProgramFunction *FunctionTable::find(std::string_view name) const {
  for (const ProgramFunction &function : implementation->functions)
    if (function.name == name)
      return &function;
  return nullptr;
}

Outcome FunctionTable::call(const ProgramFunction &function, void *const *arrays,
                            size_t count) const {
  if (count != function.callerArguments())
    return Failure{"function '" + function.name + "' takes " +
                   std::to_string(function.callerArguments()) + " arrays, and got " +
                   std::to_string(count)};
  size_t index = &function - implementation->functions.data();
  if (const char *error = sparsam_call(&implementation->callables[index].described,
                                       arrays, implementation->workspace.get()))
    return Failure{error};
  return {};
}
