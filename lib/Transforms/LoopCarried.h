// Linear maps of values that loops carry and layers are inserted into.
#ifndef SPARSAM_LIB_TRANSFORMS_LOOPCARRIED_H
#define SPARSAM_LIB_TRANSFORMS_LOOPCARRIED_H

#include "LinearMaps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sparsam {

/// Whether `value` is the result of a loop that adds to it and inserts layers of it, or
/// made from one by inserting layers and by elementwise work that `map` moves through,
/// so that the map can run on the parts.
bool isMadeOfParts(Value value, const LinearMap &map);

/// The map of `value` at the rewriter's insertion point, moved into what makes it. Loops
/// carry the map of what they carry, beside it.
Value applyToParts(RewriterBase &rewriter, Location loc, Value value,
                   const LinearMap &map);

/// Erases what nothing uses. Einsums stay for whoever has a list of them.
void eraseUnused(func::FuncOp function);

/// Removes what loops carry and nothing needs. Returns how many values these were.
int64_t dropUnusedCarried(func::FuncOp function);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_LOOPCARRIED_H
