// How optimizer state scales with the gradient.
//
// A first moment is a sum of gradients and scales as they do, a second moment as their
// squares. State of a dense parameter becomes that of its factors by this degree: W's
// gradient G gives the factor U the gradient G V^T, a map that is linear in G.
#ifndef SPARSAM_ANALYSIS_GRADIENTDEGREE_H
#define SPARSAM_ANALYSIS_GRADIENTDEGREE_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace mlir::sparsam {

/// One state of a parameter: what the step reads, and what it makes of it.
struct StateUpdate {
  Value before, after;
};

/// For each state the power of the gradient that it is homogeneous of, 1 or 2; none where
/// the update is neither, as that of a copy of the weights. A multiple of `parameter`
/// that is added to the gradient alone counts as its own, and constants that are added as
/// damping.
SmallVector<std::optional<unsigned>> getGradientDegrees(ArrayRef<StateUpdate> states,
                                                        Value gradient, Value parameter);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_GRADIENTDEGREE_H
