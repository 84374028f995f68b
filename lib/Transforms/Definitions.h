// What is made from the einsums that factor parameters are.
#ifndef SPARSAM_LIB_TRANSFORMS_DEFINITIONS_H
#define SPARSAM_LIB_TRANSFORMS_DEFINITIONS_H

#include "mlir/IR/PatternMatch.h"
#include "sparsam/Analysis/Elementwise.h"

namespace mlir::sparsam {

/// Whether `value` is made from definitions by changes of layout and elementwise work.
bool reachesDefinition(Value value, function_ref<bool(Operation *)> isDefinition);

/// `elementwise` again, of `shape`, on the parts that `take` makes of the operands that
/// it reads place by place. Fails where `take` does, and where it reads one in another
/// order.
FailureOr<Value> cloneOnParts(RewriterBase &rewriter, const ElementwiseOp &elementwise,
                              ArrayRef<int64_t> shape,
                              function_ref<FailureOr<Value>(Value)> take);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_DEFINITIONS_H
