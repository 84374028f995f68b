// A call of compiled code: its arguments, checked, as the descriptors that it takes.

#include "sparsam/Runtime/Runtime.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace {

thread_local std::string lastError;

std::string quoted(const sparsam_function &function) {
  return std::string("function '") + function.name + "'";
}

std::optional<std::string> checkCpu(const sparsam_function &function) {
  std::string missing;
  for (const char *const *feature = function.features; feature && *feature; ++feature)
    if (!sparsam_cpu_has(*feature))
      missing += std::string(missing.empty() ? "" : ", ") + *feature;
  if (missing.empty())
    return std::nullopt;
  return quoted(function) + " is compiled for another CPU; this machine lacks " + missing;
}

struct Range {
  uintptr_t begin, end;
  const sparsam_argument *argument;

  bool isWritten() const { return argument->role != SPARSAM_ROLE_READ; }
};

/// A written array that overlaps any other array would be read half new, half old.
std::optional<std::string> checkOverlap(const sparsam_function &function,
                                        std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range &a, const Range &b) { return a.begin < b.begin; });
  // The written range, and the range of any kind, that reach furthest so far.
  const Range *written = nullptr, *any = nullptr;
  for (const Range &range : ranges) {
    const Range *other = range.isWritten() ? any : written;
    if (other && other->end > range.begin)
      return quoted(function) + " writes to memory that " + other->argument->label +
             " and " + range.argument->label + " share";
    if (range.isWritten() && (!written || range.end > written->end))
      written = &range;
    if (!any || range.end > any->end)
      any = &range;
  }
  return std::nullopt;
}

/// Memref descriptors: two pointers, the offset, extents and strides.
class Descriptors {
public:
  void add(void *data, const sparsam_argument &argument) {
    starts.push_back(words.size());
    auto address = reinterpret_cast<int64_t>(data);
    words.insert(words.end(), {address, address, 0});
    words.insert(words.end(), argument.shape, argument.shape + argument.rank);
    words.resize(words.size() + argument.rank);
    int64_t stride = 1;
    for (int32_t i = argument.rank; i-- > 0; stride *= argument.shape[i])
      words[words.size() - argument.rank + i] = stride;
  }

  std::vector<void *> pointers() {
    std::vector<void *> found;
    for (size_t start : starts)
      found.push_back(words.data() + start);
    return found;
  }

private:
  std::vector<int64_t> words;
  std::vector<size_t> starts;
};

std::optional<std::string> call(const sparsam_function &function, void *const *arrays,
                                void *workspace) {
  if (auto error = checkCpu(function))
    return error;
  Descriptors descriptors;
  std::vector<Range> ranges;
  for (int64_t i = 0; i < function.count; ++i) {
    const sparsam_argument &argument = function.arguments[i];
    void *data = argument.role == SPARSAM_ROLE_WORKSPACE ? workspace : *arrays++;
    if (!data && argument.bytes)
      return quoted(function) + " got a null pointer for " + argument.label;
    auto begin = reinterpret_cast<uintptr_t>(data);
    if (argument.role == SPARSAM_ROLE_WORKSPACE && begin % SPARSAM_WORKSPACE_ALIGNMENT)
      return quoted(function) + " needs its workspace at a multiple of " +
             std::to_string(SPARSAM_WORKSPACE_ALIGNMENT) + " bytes";
    if (argument.bytes)
      ranges.push_back({begin, begin + argument.bytes, &argument});
    descriptors.add(data, argument);
  }
  if (auto error = checkOverlap(function, std::move(ranges)))
    return error;

  std::vector<void *> pointers = descriptors.pointers();
  sparsam_call_begin();
  function.entry(pointers.data());
  if (const char *error = sparsam_call_end())
    return quoted(function) + " failed: " + error;
  return std::nullopt;
}

} // namespace

const char *sparsam_call(const sparsam_function *function, void *const *arrays,
                         void *workspace) {
  std::optional<std::string> error = call(*function, arrays, workspace);
  lastError = error.value_or("");
  return error ? lastError.c_str() : nullptr;
}

const char *sparsam_last_error() { return lastError.c_str(); }
