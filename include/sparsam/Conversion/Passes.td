#ifndef SPARSAM_CONVERSION_PASSES
#define SPARSAM_CONVERSION_PASSES

// Passes of one target each; a target's pipeline is in Pipelines.

include "sparsam/Conversion/ToCPU/ShapePasses.td"
include "sparsam/Conversion/ToCPU/FusionPasses.td"
include "sparsam/Conversion/ToCPU/BufferPasses.td"
include "sparsam/Conversion/ToCPU/ProductPasses.td"
include "sparsam/Conversion/ToCPU/LoopPasses.td"
include "sparsam/Conversion/ToLLVM/Passes.td"
include "sparsam/Conversion/ToSparseTensor/Passes.td"

#endif // SPARSAM_CONVERSION_PASSES
