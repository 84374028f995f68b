// What an op is: a reshape, elementwise, a product that a GEMM can run.
#ifndef SPARSAM_CONVERSION_TOCPU_TENSOROPS_H
#define SPARSAM_CONVERSION_TOCPU_TENSOROPS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::sparsam::cpu {

/// On a contraction: the destination's contents are not read, although the payload
/// adds to them (beta = 0 of a GEMM).
inline constexpr llvm::StringLiteral kOverwriteAttr = "sparsam.overwrite";

/// Whether `op` gives a tensor another shape and keeps its elements in order.
bool isReshape(Operation *op);

/// What `value` is a reshape of, however many times.
Value lookThroughReshapes(Value value);

/// Whether all loops are parallel.
bool isElementwise(linalg::GenericOp op);

/// Whether the payload of `op` is c + a * b of its destination and its two inputs, in
/// floating point; narrower inputs may be extended. Nothing else is done to either:
/// upstream's `isaContractionOpInterface` looks through any unary operation, exp too.
bool isMultiplyAdd(linalg::LinalgOp op);

/// Whether `op` is C += A * B over batch, row, column and summed dimensions, each
/// operand accessed through dimensions alone; rows, columns and sums are not empty.
bool isContraction(linalg::GenericOp op);

/// Whether `op` yields its only input unchanged, through permutations: a transpose,
/// or a copy.
bool isPermutingCopy(linalg::GenericOp op);

/// Whether the rows, the columns and the summed dimensions of a contraction with
/// these maps each flatten to one dimension with a stride, and each operand has rows,
/// columns or sums innermost: what a (batched) GEMM needs. Takes the operands as
/// contiguous.
bool isGemm(linalg::GenericOp contraction, ArrayRef<AffineMap> maps);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_CONVERSION_TOCPU_TENSOROPS_H
