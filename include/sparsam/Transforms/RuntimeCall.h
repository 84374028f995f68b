// Calls of the runtime from IR on tensors.
#ifndef SPARSAM_TRANSFORMS_RUNTIMECALL_H
#define SPARSAM_TRANSFORMS_RUNTIMECALL_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::sparsam {

/// Calls the runtime's function `name`, with the width of the results' element type
/// behind it (`sparsam_svd` becomes `sparsam_svd_f32`), which reads `inputs`, tensors and
/// scalars, and writes new tensors of the types `results`. Tensors are memrefs of dynamic
/// shape and identity layout there. Declares it once in the module around the insertion
/// point.
SmallVector<Value> buildRuntimeCall(ImplicitLocOpBuilder &b, StringRef name,
                                    ValueRange inputs,
                                    ArrayRef<RankedTensorType> results);

} // namespace mlir::sparsam

#endif // SPARSAM_TRANSFORMS_RUNTIMECALL_H
