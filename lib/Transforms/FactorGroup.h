// Clones of a factor parameter's optimizer.
#ifndef SPARSAM_LIB_TRANSFORMS_FACTORGROUP_H
#define SPARSAM_LIB_TRANSFORMS_FACTORGROUP_H

#include "FactorOptimizer.h"

namespace mlir::sparsam {

/// Factors that count as one tensor, and the optimizer's work on it: each factor alone,
/// or all of them.
class FactorGroup {
public:
  /// `leaves` are, for each factor of the structure, what takes the place of the
  /// parameter, its gradient and its state.
  FactorGroup(FactorOptimizer &optimizer, ArrayRef<unsigned> numbers,
              ArrayRef<DenseMap<Value, Value>> leaves)
      : optimizer(optimizer), numbers(numbers), tensors(leaves) {}

  /// A tensor of the optimizer at the shape of a factor of the group.
  FailureOr<Value> cloneTensor(unsigned factor, Value value);
  /// A scalar is the same for all tensors, but for the parameter's own.
  FailureOr<Value> cloneScalar(Value scalar);
  /// A reduction over the group's factors that starts from `init`.
  FailureOr<Value> cloneReduction(const FullReduction &reduction, Value init);
  int64_t getNumElements() const;

private:
  FailureOr<Value> cloneElementwise(unsigned factor, const ElementwiseOp &op);
  FailureOr<IRMapping> mapOutside(Operation *op);
  LogicalResult mapScalar(Value scalar, IRMapping &mapping);
  ArrayRef<int64_t> getShape(unsigned factor) const {
    return cast<RankedTensorType>(optimizer.factors[factor].getType()).getShape();
  }

  FactorOptimizer &optimizer;
  SmallVector<unsigned> numbers;
  SmallVector<DenseMap<Value, Value>> tensors;
  DenseMap<Value, Value> scalars;
};

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_FACTORGROUP_H
