#ifndef SPARSAM_C_BUNDLE_H
#define SPARSAM_C_BUNDLE_H

/* Bundles of sparsam-compile, opened and called: in libSparsamBundle, which needs
 * libSparsamRuntime, and no LLVM. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPARSAM_BUNDLE_EXPORTED __attribute__((visibility("default")))

typedef enum SparsamArgumentRole {
  /* Read only. */
  SparsamArgumentRoleInput,
  /* Read, and overwritten with a result. */
  SparsamArgumentRoleUpdated,
  /* Overwritten with a result; the contents before do not matter. */
  SparsamArgumentRoleResult
} SparsamArgumentRole;

/* A bundle in memory: the code that this machine runs best. */
typedef struct SparsamBundle SparsamBundle;

/* Opens and checks a bundle, whose code becomes part of the process. Null after an
 * error. */
SPARSAM_BUNDLE_EXPORTED SparsamBundle *sparsamBundleOpen(const char *path);
SPARSAM_BUNDLE_EXPORTED void sparsamBundleClose(SparsamBundle *bundle);

/* What went wrong last in this thread; valid until something else does. */
SPARSAM_BUNDLE_EXPORTED const char *sparsamBundleGetError(void);

/* The CPU that the code is for. */
SPARSAM_BUNDLE_EXPORTED const char *sparsamBundleGetCpu(const SparsamBundle *bundle);

SPARSAM_BUNDLE_EXPORTED intptr_t
sparsamBundleGetNumFunctions(const SparsamBundle *bundle);
SPARSAM_BUNDLE_EXPORTED const char *
sparsamBundleGetFunctionName(const SparsamBundle *bundle, intptr_t function);
/* The position of a function, or -1. */
SPARSAM_BUNDLE_EXPORTED intptr_t sparsamBundleFindFunction(const SparsamBundle *bundle,
                                                           const char *name);

/* An argument of a call: a dense, row-major array. Text and shape are the bundle's. */
typedef struct SparsamBundleArgument {
  /* The text of `sparsam.name`, `sparsam.param` and `sparsam.part`: what the front end
   * calls the argument, the parameter that it is or is part of, and which part. Null
   * without. */
  const char *name;
  const char *param;
  const char *part;
  SparsamArgumentRole role;
  /* Which result is written here, or -1. */
  int64_t result;
  /* As MLIR prints it, "f32". MLIR's integers have no sign: those of storage, which have
   * a part, are unsigned, uint16_t for "i16". */
  const char *elementType;
  intptr_t rank;
  const int64_t *shape;
  size_t numBytes;
} SparsamBundleArgument;

SPARSAM_BUNDLE_EXPORTED intptr_t sparsamBundleGetNumArguments(const SparsamBundle *bundle,
                                                              intptr_t function);
SPARSAM_BUNDLE_EXPORTED SparsamBundleArgument sparsamBundleGetArgument(
    const SparsamBundle *bundle, intptr_t function, intptr_t argument);

/* Calls a function on one array an argument, in place and without copies. Arrays that are
 * written must not overlap any other, which is checked. 0, or 1 after an error. Safe from
 * several threads; calls in a process run one after the other. */
SPARSAM_BUNDLE_EXPORTED int sparsamBundleCall(SparsamBundle *bundle, intptr_t function,
                                              intptr_t numArrays, void *const *arrays);

#ifdef __cplusplus
}
#endif

#endif /* SPARSAM_C_BUNDLE_H */
