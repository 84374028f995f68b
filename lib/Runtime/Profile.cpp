// Where compiled code spends its time, if it was compiled to say so.

#include "sparsam/Runtime/Runtime.h"

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace {

struct Part {
  int64_t calls = 0;
  int64_t nanoseconds = 0;
};

std::mutex mutex;
std::map<std::string, Part, std::less<>> parts;

} // namespace

int64_t sparsam_profile_start() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void sparsam_profile_stop(const char *name, int64_t started) {
  int64_t passed = sparsam_profile_start() - started;
  std::lock_guard<std::mutex> lock(mutex);
  auto found = parts.find(std::string_view(name));
  if (found == parts.end())
    found = parts.emplace(name, Part()).first;
  ++found->second.calls;
  found->second.nanoseconds += passed;
}

void sparsam_profile_take(void (*part)(const char *name, int64_t calls, double seconds,
                                       void *context),
                          void *context) {
  std::map<std::string, Part, std::less<>> taken;
  {
    std::lock_guard<std::mutex> lock(mutex);
    taken.swap(parts);
  }
  for (const auto &[name, value] : taken)
    part(name.c_str(), value.calls, value.nanoseconds * 1e-9, context);
}
