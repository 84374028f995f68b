#ifndef SPARSAM_CONVERSION_PASSES
#define SPARSAM_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

// Passes of one target each; a target's pipeline is in Pipelines.

#endif // SPARSAM_CONVERSION_PASSES
