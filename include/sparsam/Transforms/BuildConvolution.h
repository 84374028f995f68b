// IR on tensors for convolutions as products.
#ifndef SPARSAM_TRANSFORMS_BUILDCONVOLUTION_H
#define SPARSAM_TRANSFORMS_BUILDCONVOLUTION_H

#include "mlir/IR/Builders.h"
#include "sparsam/Analysis/Convolution.h"

namespace mlir::sparsam {

/// The convolution as windows (im2col), made by a copying generic where they are not the
/// source itself, and their product with the filter. The product starts from zero; its
/// init is added behind it.
FailureOr<Value> buildUnfolded(OpBuilder &builder, Location loc, Convolution convolution);

/// The convolution as the product of the source, without the zeros it lies in, with each
/// element of the filter, and the sum of what falls on one place of the result (col2im).
/// Fails, and builds nothing, where two loops of the result meet in one index.
FailureOr<Value> buildFolded(OpBuilder &builder, Location loc, Convolution convolution);

/// The first elements of each dimension.
Value buildCrop(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> shape);

} // namespace mlir::sparsam

#endif // SPARSAM_TRANSFORMS_BUILDCONVOLUTION_H
