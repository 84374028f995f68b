#include "Blas.h"

#include "sparsam/Runtime/Runtime.h"

#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>

#include <dlfcn.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

using namespace sparsam;

namespace {

bool hasAll(std::initializer_list<const char *> features) {
  for (const char *feature : features)
    if (!sparsam_cpu_has(feature))
      return false;
  return true;
}

#if defined(__x86_64__)
/// AMD's Zen 4, which does an instruction of 512 bits in two halves: what it gains from
/// such kernels is less than what they lose by larger tiles.
bool halvesWideVectors() {
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx) || ebx != signature_AMD_ebx)
    return false;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
    return false;
  constexpr unsigned zen4 = 0x19;
  return (eax >> 8 & 0xf) + (eax >> 20 & 0xff) == zen4;
}
#endif

/// Whose kernels OpenBLAS is to take, as its OPENBLAS_CORETYPE names them; null where its
/// own choice is left alone. It goes by the models that it knows, and takes its kernels
/// for SSE3 on a newer one.
const char *chooseKernels() {
#if defined(__x86_64__)
  if (hasAll({"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}) &&
      !halvesWideVectors())
    return "SkylakeX";
  if (hasAll({"avx2", "fma"}))
    return "Haswell";
#endif
  return nullptr;
}

/// It reads the variable while it is loaded, and never again.
void *open() {
  constexpr const char *variable = "OPENBLAS_CORETYPE";
  const char *kernels = std::getenv(variable) ? nullptr : chooseKernels();
  if (kernels)
    setenv(variable, kernels, 1);
  void *library = dlopen(SPARSAM_BLAS_NAME, RTLD_NOW | RTLD_LOCAL);
  if (kernels)
    unsetenv(variable);
  return library;
}

/// What went wrong, or the functions.
struct Loaded {
  std::string error;
  Blas blas{};
};

template <typename Function>
void find(void *library, const char *name, Function &function, std::string &error) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (!function && error.empty())
    error = std::string("OpenBLAS (" SPARSAM_BLAS_NAME ") has no ") + name;
}

Loaded load() {
  Loaded loaded;
  void *library = open();
  if (!library) {
    loaded.error = std::string("cannot load OpenBLAS: ") + dlerror();
    return loaded;
  }
  void (*setThreads)(int);
  find(library, "cblas_sgemm", loaded.blas.sgemm, loaded.error);
  find(library, "cblas_dgemm", loaded.blas.dgemm, loaded.error);
  find(library, "sgesdd_", loaded.blas.sgesdd, loaded.error);
  find(library, "dgesdd_", loaded.blas.dgesdd, loaded.error);
  find(library, "openblas_set_num_threads", setThreads, loaded.error);
  if (loaded.error.empty())
    setThreads(1);
  return loaded;
}

} // namespace

const Blas *sparsam::loadBlas() {
  static const Loaded loaded = load();
  if (loaded.error.empty())
    return &loaded.blas;
  sparsam_runtime_error(loaded.error.c_str());
  return nullptr;
}
