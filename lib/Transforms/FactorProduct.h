// The einsum of a factor structure on a parameter's tensor.
#ifndef SPARSAM_LIB_TRANSFORMS_FACTORPRODUCT_H
#define SPARSAM_LIB_TRANSFORMS_FACTORPRODUCT_H

#include "StructuredFunction.h"

namespace mlir::sparsam {

/// einsum(factors) as a tensor of the parameter's type.
FailureOr<Value> createFactorProduct(OpBuilder &builder, Location loc,
                                     const StructuredParameter &parameter,
                                     ValueRange factors);

/// The derivatives of that einsum by each factor, applied to the gradient of the
/// parameter.
FailureOr<SmallVector<Value>> createFactorGradients(OpBuilder &builder, Location loc,
                                                    const StructuredParameter &parameter,
                                                    ValueRange factors, Value gradient);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_FACTORPRODUCT_H
