#ifndef SPARSAM_LIB_TRANSFORMS_IMPORTSCATTER
#define SPARSAM_LIB_TRANSFORMS_IMPORTSCATTER

#include "mlir/IR/PatternMatch.h"

namespace mlir::sparsam {

/// Replaces an `iree_linalg_ext.scatter` by a loop nest over its updates that carries
/// the tensor scattered into. Emits an error if the operation is malformed.
LogicalResult importScatter(RewriterBase &rewriter, Operation *scatter);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_IMPORTSCATTER
