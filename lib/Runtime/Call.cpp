// One call of compiled code: the threads it may use and the error it may leave.

#include "sparsam/Runtime/Runtime.h"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>

#include <omp.h>

// An extension of LLVM's OpenMP, which is the one linked whatever compiles this;
// another compiler's <omp.h> does not declare it.
extern "C" void kmp_set_blocktime(int milliseconds);

namespace {

std::atomic<int32_t> requestedThreads{0};
std::mutex callMutex;

std::mutex errorMutex;
std::optional<std::string> callError;
thread_local std::string lastError;

int32_t defaultThreads() {
  // OpenMP keeps this number per calling thread and Sparsam changes it there, so
  // the first answer is the process's default.
  static const int32_t threads = omp_get_max_threads();
  return threads;
}

} // namespace

void sparsam_set_num_threads(int32_t threads) {
  defaultThreads();
  requestedThreads = threads > 0 ? threads : 0;
}

int32_t sparsam_num_threads() {
  int32_t threads = requestedThreads;
  return threads ? threads : defaultThreads();
}

void sparsam_runtime_error(const char *message) {
  std::lock_guard<std::mutex> lock(errorMutex);
  if (!callError)
    callError = message;
}

void sparsam_call_begin() {
  callMutex.lock();
  defaultThreads();
  // Settings of the calling thread in OpenMP's model, hence at every call. Idle
  // workers spin for 200 ms by default, at the cost of whatever the process does
  // between two calls; the gaps inside a call are far below a millisecond.
  omp_set_num_threads(sparsam_num_threads());
  if (!std::getenv("KMP_BLOCKTIME"))
    kmp_set_blocktime(1);
  std::lock_guard<std::mutex> lock(errorMutex);
  callError.reset();
}

const char *sparsam_call_end() {
  std::optional<std::string> error;
  {
    std::lock_guard<std::mutex> lock(errorMutex);
    error.swap(callError);
  }
  callMutex.unlock();
  if (!error)
    return nullptr;
  lastError = std::move(*error);
  return lastError.c_str();
}
