#ifndef SPARSAM_RUNTIME_RUNTIME_H
#define SPARSAM_RUNTIME_RUNTIME_H

/* What compiled code and its callers share: libSparsamRuntime.so, a C ABI over
 * OpenMP and BLAS that needs no LLVM. Compiled code calls it by these names, so
 * a name, once released, keeps its meaning. */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPARSAM_RUNTIME_API __attribute__((visibility("default")))

/* The most threads that tools and packages ask for; a larger number is a mistake. */
enum { SPARSAM_MAX_THREADS = 1024 };

/* The number of threads of every later call, in whichever thread that happens;
 * 0 goes back to the default of OpenMP (OMP_NUM_THREADS, or the cores). */
SPARSAM_RUNTIME_API void sparsam_set_num_threads(int32_t threads);

/* The number of threads that a call would have now. */
SPARSAM_RUNTIME_API int32_t sparsam_num_threads(void);

/* Records that what runs now has failed; any thread may say so, and the first
 * message of a call is kept. The code goes on, and its caller drops the results.
 * The message is copied. */
SPARSAM_RUNTIME_API void sparsam_runtime_error(const char *message);

/* Brackets one call of compiled code, one at a time in a process: all calls share
 * one pool of threads, and an error has to belong to one call. A second caller
 * waits. */
SPARSAM_RUNTIME_API void sparsam_call_begin(void);

/* Ends the call, in the thread that began it. The error recorded during the call,
 * or null; the text is valid in this thread until its next call ends. */
SPARSAM_RUNTIME_API const char *sparsam_call_end(void);

/* An argument of compiled code: a static, dense, row-major array. */
typedef struct {
  const char *label; /* how messages call it */
  int32_t role;      /* one of SPARSAM_ROLE_... */
  int32_t rank;
  const int64_t *shape;
  int64_t bytes;
} sparsam_argument;

enum { SPARSAM_ROLE_READ = 0, SPARSAM_ROLE_WRITTEN = 1, SPARSAM_ROLE_WORKSPACE = 2 };

/* Where a workspace begins. */
enum { SPARSAM_WORKSPACE_ALIGNMENT = 64 };

/* A function of compiled code. */
typedef struct {
  const char *name;
  /* Takes one descriptor of a memref an argument. */
  void (*entry)(void **descriptors);
  int64_t count;
  const sparsam_argument *arguments;
  /* What the CPU must have, with a null pointer behind the last; null where the caller
   * knows that it has. */
  const char *const *features;
} sparsam_function;

/* Calls a function on one array an argument; the workspace, which is not among them, may
 * be null for a function without. Written arrays must not overlap any other,
 * which is checked. Null if all went well, or else what did not; the text is valid in
 * this thread until its next call. */
SPARSAM_RUNTIME_API const char *sparsam_call(const sparsam_function *function,
                                             void *const *arrays, void *workspace);

/* What the latest call by `sparsam_call` in this thread failed with; an empty text if it
 * did not. */
SPARSAM_RUNTIME_API const char *sparsam_last_error(void);

/* Whether this machine, and its operating system, have a feature of a CPU, by LLVM's name
 * of it, such as "avx2". No for names that are not among `sparsam_cpu_features`. */
SPARSAM_RUNTIME_API int32_t sparsam_cpu_has(const char *feature);

/* The names of the features that instructions are chosen by, with a null pointer behind
 * the last. */
SPARSAM_RUNTIME_API const char *const *sparsam_cpu_features(void);

/* C = A * B, or C += A * B with `accumulate`, for batch0 * batch1 products. A is m by
 * k, B is k by n, C is m by n, all row-major with the leading dimension given;
 * `transA` and `transB` say that A and B are stored transposed. The strides, in
 * elements, lead from one entry of a batch dimension to the next. Each matrix is the
 * three words of a memref of rank 0: the allocated pointer (not looked at), the
 * aligned one, and an offset in elements. */
/* NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses. */
#define SPARSAM_DECLARE_GEMM(NAME, ELEMENT)                                              \
  SPARSAM_RUNTIME_API void NAME(                                                         \
      ELEMENT *allocatedA, ELEMENT *a, int64_t offsetA, ELEMENT *allocatedB, ELEMENT *b, \
      int64_t offsetB, ELEMENT *allocatedC, ELEMENT *c, int64_t offsetC, int64_t m,      \
      int64_t n, int64_t k, int64_t lda, int64_t ldb, int64_t ldc, int64_t transA,       \
      int64_t transB, int64_t batch0, int64_t batch1, int64_t strideA0,                  \
      int64_t strideA1, int64_t strideB0, int64_t strideB1, int64_t strideC0,            \
      int64_t strideC1, int64_t accumulate)
SPARSAM_DECLARE_GEMM(sparsam_gemm_f32, float);
SPARSAM_DECLARE_GEMM(sparsam_gemm_f64, double);
#undef SPARSAM_DECLARE_GEMM
/* NOLINTEND(bugprone-macro-parentheses) */

/* A profile: what code that was compiled for it spent where. Nanoseconds of a clock
 * that only goes forward. */
SPARSAM_RUNTIME_API int64_t sparsam_profile_start(void);

/* Adds the time since `started` to the part called `name`, which is copied. */
SPARSAM_RUNTIME_API void sparsam_profile_stop(const char *name, int64_t started);

/* Hands over what was added since the last time, part by part, and forgets it. */
SPARSAM_RUNTIME_API void sparsam_profile_take(void (*part)(const char *name,
                                                           int64_t calls, double seconds,
                                                           void *context),
                                              void *context);

#ifdef __cplusplus
}
#endif

#endif /* SPARSAM_RUNTIME_RUNTIME_H */
