#ifndef SPARSAM_C_PROGRAM_H
#define SPARSAM_C_PROGRAM_H

/* Compiling the output of sparsam-cpu-pipeline for this machine, and calling it: in
 * libSparsamProgramCAPI, which needs BLAS and OpenMP beside what libSparsamCAPI does.
 * sparsam/Runtime/Runtime.h, plain C too, sets the number of threads of calls. */

#include "sparsam-c/Bundle.h"

#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Everything that a context needs to parse, lower and compile programs: upstream's
 * dialects and extensions, Sparsam's, and the translations to LLVM IR. */
MLIR_CAPI_EXPORTED void sparsamRegisterProgramDialects(MlirDialectRegistry registry);

/* All passes and pipelines, upstream's and Sparsam's. Any number of times, in any thread.
 */
MLIR_CAPI_EXPORTED void sparsamRegisterProgramPasses(void);

/* Public functions of a module, compiled and loaded. Outlives module and context. */
typedef struct SparsamProgram {
  void *ptr;
} SparsamProgram;

/* Compiles a module, which stays as it is, for the CPU that its `sparsam.cpu` names, or
 * else this machine's. `pipeline` lowers it to the LLVM dialect, with
 * sparsam-lower-to-llvm if it is empty. `threads` compile, one a core for 0. Null after
 * an error, which is a diagnostic of the context. */
MLIR_CAPI_EXPORTED SparsamProgram sparsamProgramCompile(MlirModule module,
                                                        MlirStringRef pipeline,
                                                        unsigned threads);
static inline bool sparsamProgramIsNull(SparsamProgram program) { return !program.ptr; }
MLIR_CAPI_EXPORTED void sparsamProgramDestroy(SparsamProgram program);

MLIR_CAPI_EXPORTED intptr_t sparsamProgramGetNumFunctions(SparsamProgram program);
MLIR_CAPI_EXPORTED MlirStringRef sparsamProgramGetFunctionName(SparsamProgram program,
                                                               intptr_t function);
/* The position of a function, or -1. */
MLIR_CAPI_EXPORTED intptr_t sparsamProgramFindFunction(SparsamProgram program,
                                                       MlirStringRef name);

/* An argument of a call: a dense, row-major array. Text and shape are the program's. */
typedef struct SparsamArgument {
  /* The text of `sparsam.name`, `sparsam.param` and `sparsam.part`: what the front end
   * calls the argument, the parameter that it is or is part of, and which part. Empty
   * without. */
  MlirStringRef name;
  MlirStringRef param;
  MlirStringRef part;
  SparsamArgumentRole role;
  /* Which result is written here, or -1. */
  int64_t result;
  /* As MLIR prints it, "f32". MLIR's integers have no sign: those of storage, which have
   * a part, are unsigned, uint16_t for "i16". */
  MlirStringRef elementType;
  intptr_t rank;
  const int64_t *shape;
  size_t numBytes;
} SparsamArgument;

MLIR_CAPI_EXPORTED intptr_t sparsamProgramGetNumArguments(SparsamProgram program,
                                                          intptr_t function);
MLIR_CAPI_EXPORTED SparsamArgument sparsamProgramGetArgument(SparsamProgram program,
                                                             intptr_t function,
                                                             intptr_t argument);

/* Calls a function on one array an argument, in place and without copies. Arrays that are
 * written must not overlap any other, which is checked. After a failure, the reason has
 * gone to `onError`, which may be null. Safe from several threads; calls in a process run
 * one after the other. */
MLIR_CAPI_EXPORTED MlirLogicalResult
sparsamProgramCall(SparsamProgram program, intptr_t function, intptr_t numArrays,
                   void *const *arrays, MlirStringCallback onError, void *userData);

#ifdef __cplusplus
}
#endif

#endif /* SPARSAM_C_PROGRAM_H */
