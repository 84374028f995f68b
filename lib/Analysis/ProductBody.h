// The scalar work of operations that multiply and, perhaps, sum.
#ifndef SPARSAM_LIB_ANALYSIS_PRODUCTBODY_H
#define SPARSAM_LIB_ANALYSIS_PRODUCTBODY_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::sparsam {

struct ProductBody {
  linalg::LinalgOp op;
  /// Of the operands that are multiplied, of the result's element type.
  SmallVector<unsigned> factors;
  /// What multiplies them from outside of the body.
  SmallVector<Value> scalars;
  /// Whether the products are added to the destination.
  bool sums = false;
};

/// For a `linalg` operation on tensors of static shape, none of them empty; wherever
/// its maps read.
FailureOr<ProductBody> matchProductBody(Operation *op);

/// True for a tensor of zeros.
bool isZeroTensor(Value value);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_ANALYSIS_PRODUCTBODY_H
