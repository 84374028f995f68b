// Elementwise work, and how to make it again at another shape.
//
// Rules 2 and 3 of the algebra run elementwise work on stored values, rule 6 runs
// it once per factor: in each case the same scalar computation, at a new shape.
#ifndef SPARSAM_ANALYSIS_ELEMENTWISE_H
#define SPARSAM_ANALYSIS_ELEMENTWISE_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::sparsam {

/// Where an operand's element for one element of the result is.
enum class ElementAccess {
  /// In the same place.
  Same,
  /// In a permuted place: a transposed operand.
  Permuted,
  /// There is one element for all: a scalar, or a tensor of one element.
  Scalar,
};

struct ElementwiseOperand {
  Value value;
  ElementAccess access;
  /// For `Permuted`: the result's dimension that each of the operand's is.
  SmallVector<int64_t> dims;
};

/// A linalg op with one result, each element of which comes from elements of the
/// operands at fixed places. Never an op that reads its index.
struct ElementwiseOp {
  linalg::LinalgOp op;
  RankedTensorType type;
  /// The inputs, and last the destination where the body reads it.
  SmallVector<ElementwiseOperand> operands;
  bool readsDestination;

  /// True where nothing is computed: a copy, perhaps a transposing one.
  bool isCopy() const;
};

FailureOr<ElementwiseOp> matchElementwise(Operation *op);

/// The same scalar computation on tensors of `shape`. `operands` replace the
/// operands in order: those of access `Scalar` have the type they had, the others
/// have `shape`. `outside` maps scalars that the body uses from outside.
Value cloneElementwise(OpBuilder &builder, const ElementwiseOp &elementwise,
                       ValueRange operands, ArrayRef<int64_t> shape,
                       const IRMapping &outside = {});

/// `value`, all of whose elements are the same (a splat constant, a fill, a
/// broadcast scalar) or undefined (`tensor.empty`), made again at `shape`; null
/// where it is not one of these.
Value remakeUniform(OpBuilder &builder, Value value, ArrayRef<int64_t> shape);

/// Whether `remakeUniform` would succeed.
bool isUniform(Value value);

/// A copy of `value` whose dimension i is its dimension `permutation[i]`.
Value createTranspose(OpBuilder &builder, Location loc, Value value,
                      ArrayRef<int64_t> permutation);

/// An op that combines all elements of its operands into one.
struct FullReduction {
  linalg::LinalgOp op;
  /// Combines the accumulator with the next term.
  Operation *combiner;
  /// The operand of `combiner` that is the term.
  Value term;
};

/// Matches a reduction of all dimensions with one result of one element, where the
/// combiner is commutative and associative.
FailureOr<FullReduction> matchFullReduction(Operation *op);

/// The same reduction over tensors of `shape`; `inputs` replace the inputs in
/// order, `init` the destination. `outside` maps scalars that the body uses from
/// outside.
Value cloneReduction(OpBuilder &builder, const FullReduction &reduction,
                     ValueRange inputs, Value init, ArrayRef<int64_t> shape,
                     const IRMapping &outside = {});

/// The term of one place: `inputs` are tensors of rank 0, as is the result.
Value cloneTerm(OpBuilder &builder, const FullReduction &reduction, ValueRange inputs);

/// Whether an op combines two scalars in any order: a sum, product, maximum, ....
bool isCombiner(Operation *op);

/// `combiner` applied to two scalars, or to two tensors of one element.
Value createCombined(OpBuilder &builder, Location loc, Operation *combiner, Value lhs,
                     Value rhs);

/// What `combiner` combines with anything without effect, as a value of `type`, a scalar
/// or a tensor of one element; null where there is no such number.
Value createNeutral(OpBuilder &builder, Location loc, Operation *combiner, Type type);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_ELEMENTWISE_H
