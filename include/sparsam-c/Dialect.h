#ifndef SPARSAM_C_DIALECT_H
#define SPARSAM_C_DIALECT_H

/* The dialect and the passes, for compilers that use MLIR through its C API.
 *
 * libSparsamCAPI has the functions of sparsam-c and those of mlir-c, which LLVM's
 * packages only have as archives, on the one libMLIR of the process. */

#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The dialect with the structures of this tree and what targets attach to them.
 * Loading it into a context brings them too. */
MLIR_DECLARE_CAPI_DIALECT_REGISTRATION(Sparsam, sparsam);

/* Registers the passes and the pipelines of this tree, for pipelines as text:
 * `builtin.module(sparsam-cpu-pipeline{structures="*=nm<2:4>"})` for
 * mlirParsePassPipeline. Any number of times, in any thread.
 *
 * The pipelines lower upstream's dialects, so a context that runs them needs
 * these with their extensions: mlirRegisterAllDialects registers both. */
MLIR_CAPI_EXPORTED void sparsamRegisterAllPasses(void);

#ifdef __cplusplus
}
#endif

#endif /* SPARSAM_C_DIALECT_H */
