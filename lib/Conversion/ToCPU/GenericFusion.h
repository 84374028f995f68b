// Several linalg.generic ops on tensors become one.
#ifndef SPARSAM_CONVERSION_TOCPU_GENERICFUSION_H
#define SPARSAM_CONVERSION_TOCPU_GENERICFUSION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::sparsam::cpu {

/// One of the ops that a fusion computes the results of.
struct FusionRoot {
  linalg::GenericOp op;
  /// From the loops of the fused op to those of `op`; a permutation.
  AffineMap loops;
};

/// Whether the value that an operand reads is to be computed where it is read. Asked
/// only where that is possible.
using InlinePredicate =
    function_ref<bool(OpOperand &operand, linalg::GenericOp producer)>;

/// The generic that computes `operand`'s value and can be computed where it is read:
/// an elementwise one in the same block; null if there is none.
linalg::GenericOp getInlinableProducer(OpOperand &operand);

/// Builds, at the rewriter's insertion point, one generic with the results of all
/// `roots`, in order. Producers for which `inlineProducer` says so are computed inside
/// of it, each once for every way it is indexed; operands that are read several times
/// in the same way become one, fills become scalars. The roots stay. Fails, and leaves
/// nothing behind, where no operand would be left that gives a loop its size.
FailureOr<linalg::GenericOp> fuseGenerics(RewriterBase &rewriter,
                                          ArrayRef<FusionRoot> roots,
                                          InlinePredicate inlineProducer);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_CONVERSION_TOCPU_GENERICFUSION_H
