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

#ifdef __cplusplus
}
#endif

#endif /* SPARSAM_RUNTIME_RUNTIME_H */
