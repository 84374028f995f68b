// Tensors that hold one scalar everywhere.
#ifndef SPARSAM_CONVERSION_TOCPU_SPLAT_H
#define SPARSAM_CONVERSION_TOCPU_SPLAT_H

#include "mlir/IR/Builders.h"

namespace mlir::sparsam::cpu {

/// Whether `tensor` is a fill or a constant that holds one scalar everywhere.
bool isSplat(Value tensor);

/// The scalar that a splat holds; a constant's is built at the insertion point.
Value getSplatScalar(OpBuilder &builder, Value splat);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_CONVERSION_TOCPU_SPLAT_H
