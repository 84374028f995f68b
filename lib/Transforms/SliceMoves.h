// Ops that only move elements, in regions of what they make.
#ifndef SPARSAM_LIB_TRANSFORMS_SLICEMOVES_H
#define SPARSAM_LIB_TRANSFORMS_SLICEMOVES_H

#include "SlicePlan.h"

namespace mlir::sparsam {

/// Whether `op` makes its only result by moving elements of its tensor operands.
bool isMove(Operation *op);

/// The region of operand `use` of a move that is read for a region of its result.
SliceRegion getMovedRegion(const SlicePlan &plan, OpOperand &use,
                           const SliceRegion &region);

/// The move in a region of its result; `lookUp` gives the operands, `mapping` scalars.
Value createMove(OpBuilder &builder, const SlicePlan &plan, Operation *op,
                 const SliceRegion &region, function_ref<Value(OpOperand &)> lookUp,
                 const IRMapping &mapping);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_SLICEMOVES_H
