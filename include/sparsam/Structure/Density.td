#ifndef SPARSAM_STRUCTURE_DENSITY
#define SPARSAM_STRUCTURE_DENSITY

include "mlir/IR/AttrTypeBase.td"

/// `density = 0.25`.
def Sparsam_DensityParameter : APFloatParameter<"the share of entries that are stored">;

#endif // SPARSAM_STRUCTURE_DENSITY
