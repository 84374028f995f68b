// The scalar work of operations that multiply and, perhaps, sum.
#ifndef SPARSAM_LIB_ANALYSIS_PRODUCTBODY_H
#define SPARSAM_LIB_ANALYSIS_PRODUCTBODY_H

#include "sparsam/Analysis/Convolution.h"
#include "sparsam/Analysis/Product.h"

namespace mlir::sparsam {

struct ProductBody {
  linalg::LinalgOp op;
  /// Of the operands that are multiplied.
  SmallVector<unsigned> factors;
  /// What multiplies them from outside of the body.
  SmallVector<Value> scalars;
  /// Whether the products are added to the destination.
  bool sums = false;
};

/// For a `linalg` operation on tensors of static shape, none of them empty; wherever
/// its maps read. The factors have the result's element type; `acrossTypes`, they or the
/// sum may be converted from or to another floating-point type, as in a product of bf16
/// in f32.
FailureOr<ProductBody> matchProductBody(Operation *op, bool acrossTypes = false);

/// What is multiplied and summed, whatever the types.
FailureOr<Product> getProduct(const ProductBody &body);
FailureOr<Convolution> getConvolution(const ProductBody &body);

/// True for a tensor of zeros.
bool isZeroTensor(Value value);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_ANALYSIS_PRODUCTBODY_H
