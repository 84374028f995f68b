// Scalar work of an optimizer: operations on plain scalars and on tensors of one element.
#ifndef SPARSAM_LIB_TRANSFORMS_SCALARWORK_H
#define SPARSAM_LIB_TRANSFORMS_SCALARWORK_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"

namespace mlir::sparsam {

/// One scalar operation, whether it stands alone or in the body of a linalg op.
struct ScalarWork {
  /// What is computed; null where the operand is copied, reshaped or extracted.
  Operation *computes;
  /// The operands of `computes`, as values outside of the body.
  SmallVector<Value> operands;
};

/// Whether a value is a scalar or a tensor of one element.
bool isOneElement(Value value);

/// The value outside that `inside`, used in the body of `op`, is; itself if it is none of
/// the body's arguments.
Value getOutside(linalg::LinalgOp op, Value inside);

/// Matches an op whose results have one element and that computes one operation.
std::optional<ScalarWork> matchScalarWork(Operation *op);

/// The number that a scalar, or the element of a tensor, is computed to from constants.
std::optional<double> getConstantNumber(Value value);

/// A constant of `type`, a float or a tensor of floats, all of whose elements are
/// `number`.
Value createConstantNumber(OpBuilder &builder, Location loc, Type type, double number);

/// Takes the work behind `scalars` that is on scalars alone out of the bodies of
/// elementwise ops, until each op of one element computes one operation.
void hoistScalarWork(ArrayRef<Value> scalars);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_SCALARWORK_H
