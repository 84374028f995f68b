// What importers leave besides wrappers: operations of IREE's `iree_linalg_ext`, a
// dialect that is not loaded, and checks.
#ifndef SPARSAM_LIB_TRANSFORMS_IMPORTLINALGEXT
#define SPARSAM_LIB_TRANSFORMS_IMPORTLINALGEXT

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::sparsam {

/// Replaces an `iree_linalg_ext.scatter` by a loop nest over its updates that carries
/// the tensor scattered into. Emits an error if the operation is malformed.
LogicalResult importScatter(RewriterBase &rewriter, Operation *scatter);

/// Replaces an `iree_linalg_ext.scan`, a running sum and the like, by a loop that carries
/// the result and what it has come to. Emits an error if the operation is malformed.
LogicalResult importScan(RewriterBase &rewriter, Operation *scan);

/// Clamps the indices at which a body reads into the tensor instead of asserting that
/// they are inside; a program that stops the process is none to run in others. Returns
/// the number of asserts removed.
unsigned importIndexChecks(linalg::GenericOp generic);

/// A generic that copies a tensor, each dimension by one loop, with the loops in another
/// order: takes the transposition out of it, as an op of its own. Returns whether it did.
bool importTransposedRead(RewriterBase &rewriter, linalg::GenericOp generic);

/// The block of `op`'s only region, which takes two values of type `element` and yields
/// one; `what` says in the error what these are.
FailureOr<Block *> getCombiner(Operation *op, Type element, StringRef what);

/// Clones the work of a combiner on `lhs` and `rhs`; returns what it yields.
Value cloneCombiner(OpBuilder &builder, Block &combiner, Value lhs, Value rhs);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_IMPORTLINALGEXT
