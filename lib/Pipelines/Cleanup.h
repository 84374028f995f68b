// What pipelines do between their passes.
#ifndef SPARSAM_LIB_PIPELINES_CLEANUP_H
#define SPARSAM_LIB_PIPELINES_CLEANUP_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace mlir::sparsam {

/// On one function after the other, as all passes here that can: then on several cores.
inline void addCleanup(OpPassManager &functions) {
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
}

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_PIPELINES_CLEANUP_H
