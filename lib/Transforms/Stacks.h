// The stacked dimensions of a parameter and, in front, of its storage.
#ifndef SPARSAM_LIB_TRANSFORMS_STACKS_H
#define SPARSAM_LIB_TRANSFORMS_STACKS_H

#include "Layers.h"
#include "sparsam/Transforms/Algebra.h"

namespace mlir::sparsam {

/// The sizes of the stacked dimensions of a parameter of `shape`.
SmallVector<int64_t> getStackShape(StructureInterface structure, ArrayRef<int64_t> shape);

/// Storage tensors with their first `count` dimensions reshaped to `stack`.
SmallVector<Value> reshapeStack(OpBuilder &builder, Location loc, ValueRange storage,
                                unsigned count, ArrayRef<int64_t> stack);

/// `layers` of a parameter of `rank` as those of its storage; none where they are not
/// along stacked dimensions alone.
std::optional<Layers> getStorageLayers(const Layers &layers, StructureInterface structure,
                                       int64_t rank);

/// A structure on a tensor of `shape` without stacked dimensions, of which there is one
/// place each.
struct StructuredShape {
  StructureInterface structure;
  SmallVector<int64_t> shape;
};

/// None where there is no stacked dimension or more than one place.
std::optional<StructuredShape> dropUnitStack(StructureInterface structure,
                                             ArrayRef<int64_t> shape);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_STACKS_H
