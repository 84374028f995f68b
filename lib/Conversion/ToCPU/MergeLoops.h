// Loops of a linalg.generic on memrefs that run through memory as one.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_MERGELOOPS_H
#define SPARSAM_LIB_CONVERSION_TOCPU_MERGELOOPS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

namespace mlir::sparsam {

/// Whether one loop can run over `dim` and `dim + 1`: every operand steps from the end
/// of a row of `dim + 1` to the start of the next as within it.
bool areMergeable(linalg::GenericOp op, unsigned dim);

/// Lets one loop run over the dimensions of each group, all of which are mergeable;
/// returns `op` where there is nothing to merge, or what takes its place.
linalg::GenericOp mergeLoops(RewriterBase &rewriter, linalg::GenericOp op,
                             ArrayRef<ReassociationIndices> groups);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_CONVERSION_TOCPU_MERGELOOPS_H
