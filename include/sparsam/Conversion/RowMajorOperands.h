#ifndef SPARSAM_CONVERSION_ROWMAJOROPERANDS_H
#define SPARSAM_CONVERSION_ROWMAJOROPERANDS_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::sparsam {

/// Gives products on memrefs the operands that functions of kernels take: row-major ones,
/// anywhere in a larger buffer.
class RowMajorOperands {
public:
  /// Replaces `op` by what `lower` builds at the insertion point from operands that are
  /// row-major: a slice of whole rows, such as a layer of a stacked parameter, is seen as
  /// one at any offset, so that all layers share a kernel; what has another layout goes
  /// through a copy, with a remark, and a destination back. Leaves `op` where `lower`
  /// fails.
  LogicalResult replace(RewriterBase &rewriter, DestinationStyleOpInterface op,
                        function_ref<LogicalResult()> lower);

private:
  Value getPlaced(RewriterBase &rewriter, Value buffer);
  /// Returns the destination's own buffer, null where it is in place.
  Value makeRowMajor(RewriterBase &rewriter, DestinationStyleOpInterface op);

  /// By what each buffer is seen as.
  llvm::DenseMap<Value, Value> placed;
};

} // namespace mlir::sparsam

#endif // SPARSAM_CONVERSION_ROWMAJOROPERANDS_H
