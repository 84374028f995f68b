#ifndef SPARSAM_TRANSFORMS_PASSES_H
#define SPARSAM_TRANSFORMS_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::sparsam {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "sparsam/Transforms/Passes.h.inc"

} // namespace mlir::sparsam

#endif // SPARSAM_TRANSFORMS_PASSES_H
