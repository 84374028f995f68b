// What the CPU of this machine has, of the features that LLVM chooses instructions by.
// The compiler's own __builtin_cpu_supports knows only some of them, and which depends on
// the library that it is linked with.

#include "sparsam/Runtime/Runtime.h"

#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace {

#if defined(__x86_64__)

enum Register { EAX, EBX, ECX, EDX };

/// Registers that the operating system must save: those of SSE are always.
enum State { None, Ymm, Zmm, Apx };

struct Feature {
  const char *name;
  unsigned leaf, subleaf;
  Register where;
  unsigned bit;
  State state = None;
};

// Intel, "Software Developer's Manual", volume 2, CPUID; AMD, "Programmer's Manual",
// volume 3, appendix E. Names are those of X86.td.
constexpr Feature features[] = {
    {"cx8", 1, 0, EDX, 8},
    {"cmov", 1, 0, EDX, 15},
    {"mmx", 1, 0, EDX, 23},
    {"fxsr", 1, 0, EDX, 24},
    {"sse", 1, 0, EDX, 25},
    {"sse2", 1, 0, EDX, 26},
    {"sse3", 1, 0, ECX, 0},
    {"pclmul", 1, 0, ECX, 1},
    {"ssse3", 1, 0, ECX, 9},
    {"fma", 1, 0, ECX, 12, Ymm},
    {"cx16", 1, 0, ECX, 13},
    {"sse4.1", 1, 0, ECX, 19},
    {"sse4.2", 1, 0, ECX, 20},
    {"movbe", 1, 0, ECX, 22},
    {"popcnt", 1, 0, ECX, 23},
    {"aes", 1, 0, ECX, 25},
    {"avx", 1, 0, ECX, 28, Ymm},
    {"f16c", 1, 0, ECX, 29, Ymm},
    {"bmi", 7, 0, EBX, 3},
    {"avx2", 7, 0, EBX, 5, Ymm},
    {"bmi2", 7, 0, EBX, 8},
    {"avx512f", 7, 0, EBX, 16, Zmm},
    {"avx512dq", 7, 0, EBX, 17, Zmm},
    {"adx", 7, 0, EBX, 19},
    {"avx512ifma", 7, 0, EBX, 21, Zmm},
    {"avx512cd", 7, 0, EBX, 28, Zmm},
    {"sha", 7, 0, EBX, 29},
    {"avx512bw", 7, 0, EBX, 30, Zmm},
    {"avx512vl", 7, 0, EBX, 31, Zmm},
    {"avx512vbmi", 7, 0, ECX, 1, Zmm},
    {"avx512vbmi2", 7, 0, ECX, 6, Zmm},
    {"gfni", 7, 0, ECX, 8},
    {"vaes", 7, 0, ECX, 9, Ymm},
    {"vpclmulqdq", 7, 0, ECX, 10, Ymm},
    {"avx512vnni", 7, 0, ECX, 11, Zmm},
    {"avx512bitalg", 7, 0, ECX, 12, Zmm},
    {"avx512vpopcntdq", 7, 0, ECX, 14, Zmm},
    {"avx512fp16", 7, 0, EDX, 23, Zmm},
    {"avxvnni", 7, 1, EAX, 4, Ymm},
    {"avx512bf16", 7, 1, EAX, 5, Zmm},
    {"cmpccxadd", 7, 1, EAX, 7},
    {"avxifma", 7, 1, EAX, 23, Ymm},
    {"avxvnniint8", 7, 1, EDX, 4, Ymm},
    {"avxneconvert", 7, 1, EDX, 5, Ymm},
    {"avxvnniint16", 7, 1, EDX, 10, Ymm},
    {"avx10.1", 7, 1, EDX, 19, Zmm},
    {"egpr", 7, 1, EDX, 21, Apx},
    {"ndd", 7, 1, EDX, 21, Apx},
    {"ccmp", 7, 1, EDX, 21, Apx},
    {"nf", 7, 1, EDX, 21, Apx},
    {"zu", 7, 1, EDX, 21, Apx},
    {"push2pop2", 7, 1, EDX, 21, Apx},
    // From leaf 0x24 on the version of AVX10 is a number; its second bit says 2 or 3.
    {"avx10.2", 0x24, 0, EBX, 1, Zmm},
    {"sahf", 0x80000001, 0, ECX, 0},
    {"lzcnt", 0x80000001, 0, ECX, 5},
    {"sse4a", 0x80000001, 0, ECX, 6},
    {"prfchw", 0x80000001, 0, ECX, 8},
    {"xop", 0x80000001, 0, ECX, 11, Ymm},
    {"fma4", 0x80000001, 0, ECX, 16, Ymm},
    {"tbm", 0x80000001, 0, ECX, 21},
};

/// The registers that the operating system saves, as XCR0 has them.
uint64_t savedState() {
  constexpr unsigned osxsave = 1U << 27;
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & osxsave))
    return 0;
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

bool isSaved(State state) {
  static const uint64_t saved = savedState();
  constexpr uint64_t needed[] = {0, 0x6, 0xe6, 1 << 19};
  return (saved & needed[state]) == needed[state];
}

bool detect(const Feature &feature) {
  unsigned found[4];
  return __get_cpuid_count(feature.leaf, feature.subleaf, &found[EAX], &found[EBX],
                           &found[ECX], &found[EDX]) &&
         (found[feature.where] >> feature.bit & 1) && isSaved(feature.state);
}

#elif defined(__aarch64__)

struct Feature {
  const char *name;
  unsigned long vector;
  unsigned bit;
};

// Linux, "ARM64 ELF hwcaps". Names are those of AArch64Features.td.
constexpr Feature features[] = {
    {"fp-armv8", AT_HWCAP, 0},   {"neon", AT_HWCAP, 1},   {"aes", AT_HWCAP, 3},
    {"sha2", AT_HWCAP, 6},       {"crc", AT_HWCAP, 7},    {"lse", AT_HWCAP, 8},
    {"fullfp16", AT_HWCAP, 10},  {"rdm", AT_HWCAP, 12},   {"jsconv", AT_HWCAP, 13},
    {"complxnum", AT_HWCAP, 14}, {"rcpc", AT_HWCAP, 15},  {"sha3", AT_HWCAP, 17},
    {"dotprod", AT_HWCAP, 20},   {"sve", AT_HWCAP, 22},   {"fp16fml", AT_HWCAP, 23},
    {"flagm", AT_HWCAP, 27},     {"sve2", AT_HWCAP2, 1},  {"fptoint", AT_HWCAP2, 8},
    {"i8mm", AT_HWCAP2, 13},     {"bf16", AT_HWCAP2, 14},
};

bool detect(const Feature &feature) {
  return getauxval(feature.vector) >> feature.bit & 1;
}

#else
#error "this architecture's features are not known here; add its table"
#endif

} // namespace

int32_t sparsam_cpu_has(const char *feature) {
  static const std::vector<const char *> present = [] {
    std::vector<const char *> found;
    for (const Feature &known : features)
      if (detect(known))
        found.push_back(known.name);
    return found;
  }();
  for (const char *name : present)
    if (std::strcmp(name, feature) == 0)
      return 1;
  return 0;
}

const char *const *sparsam_cpu_features() {
  static const std::vector<const char *> names = [] {
    std::vector<const char *> found;
    for (const Feature &known : features)
      found.push_back(known.name);
    found.push_back(nullptr);
    return found;
  }();
  return names.data();
}
