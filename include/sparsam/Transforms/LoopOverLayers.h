// Work on each layer of stacked tensors.
#ifndef SPARSAM_TRANSFORMS_LOOPOVERLAYERS_H
#define SPARSAM_TRANSFORMS_LOOPOVERLAYERS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::sparsam {

using LayerBody = function_ref<FailureOr<SmallVector<Value>>(OpBuilder &, ValueRange)>;

/// A loop nest over `stack`, the sizes of stacked dimensions. `stacked` have them in
/// front; `body` takes a layer of each, without them, and makes a layer of each result,
/// of the types `results`. Fails where `body` does.
FailureOr<SmallVector<Value>> createLoopOverLayers(OpBuilder &builder, Location loc,
                                                   ArrayRef<int64_t> stack,
                                                   ValueRange stacked,
                                                   ArrayRef<RankedTensorType> results,
                                                   LayerBody body);

} // namespace mlir::sparsam

#endif // SPARSAM_TRANSFORMS_LOOPOVERLAYERS_H
