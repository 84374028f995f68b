// Layers of stacked tensors: the slices that a loop over layers takes and puts.
#ifndef SPARSAM_LIB_TRANSFORMS_LAYERS_H
#define SPARSAM_LIB_TRANSFORMS_LAYERS_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "sparsam/IR/Structure.h"
#include "sparsam/Transforms/LoopOverLayers.h"

namespace mlir::sparsam {

/// A run of places along some dimensions of a tensor, and all of the others.
struct Layers {
  /// The dimensions, and for each where the run starts and how long it is.
  SmallVector<int64_t> dims;
  SmallVector<OpFoldResult> offsets;
  SmallVector<int64_t> sizes;

  /// The same run along the dimension `target[d]` for each dimension d.
  Layers mapDims(ArrayRef<int64_t> target) const;
  /// The run along those of `dims` alone.
  Layers restrictedTo(ArrayRef<int64_t> dims) const;
  bool isWhole() const { return dims.empty(); }
};

/// The run that a slice of a tensor of `shape` is, where it leaves no gaps: the
/// dimensions that it does not have all of.
std::optional<Layers> matchLayers(OffsetSizeAndStrideOpInterface slice,
                                  ArrayRef<int64_t> shape);

/// The run of `value`, of its rank.
Value createLayers(OpBuilder &builder, Location loc, Value value, const Layers &layers);

/// `into` with `value` for the run.
Value insertLayers(OpBuilder &builder, Location loc, Value value, Value into,
                   const Layers &layers);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_LAYERS_H
