// The optimizer of one factor parameter: what rule 6 has to find in it.
//
// What the rule makes is the same optimizer on a tree of tensors in which the parameter's
// tensor is replaced by its factors. So work for each tensor alone is done for each
// factor, what joins the tensors joins the factors in its place, and a mean is one over
// the elements that are there.
#ifndef SPARSAM_LIB_TRANSFORMS_FACTOROPTIMIZER_H
#define SPARSAM_LIB_TRANSFORMS_FACTOROPTIMIZER_H

#include "TensorSets.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Transforms/Composition.h"

namespace mlir::sparsam {

/// Where a scalar of the parameter alone meets those of other parameters in `combiner`.
struct ScalarJoin {
  /// Holds the parameter's scalar.
  OpOperand *operand;
  Operation *combiner;
};

/// A sum, or a power of one, by what it adds up.
struct ScalarSum {
  /// How often it adds up all elements of one of the parameter's tensors, or, of scalars
  /// that each tensor has one of, how many are the parameter's.
  int64_t own = 0;
  /// The elements, or scalars, of other parameters in it.
  int64_t others = 0;
  bool ofTensors = false;
  double power = 1;

  int64_t getCount(int64_t ownSize) const { return own * ownSize + others; }
};

/// A constant that makes a mean of a sum.
struct MeanDivisor {
  Value constant;
  bool multiplies;
  ScalarSum sum;
  /// 1 where one less than the number of elements divides, as in an unbiased variance.
  int64_t lacking = 0;

  double getNumber(int64_t count) const;
};

/// A factor parameter of a function.
struct FactorizedValue {
  Composition composition;
  /// The storage, the factors that it stands for, and the tensor that these make.
  SmallVector<Value> storage, factors;
  Value dense;
};

struct FactorOptimizer {
  /// `states` are the state's arguments with its storage, of the factors that are
  /// trained.
  FactorOptimizer(OpBuilder &builder, StructuredFunction &function,
                  const StructuredParameter &parameter, const FactorizedValue &value,
                  ArrayRef<ExpandedArgument> states);

  StructuredFunction &function;
  const StructuredParameter &parameter;
  const Composition &composition;
  /// All factors as dense tensors, and the parameter as the function reads it: the sum of
  /// their einsums.
  ArrayRef<Value> allFactors;
  Value dense;
  /// The factors that are trained: their numbers among all of them, the tensors, and the
  /// patterns that they are stored in.
  SmallVector<unsigned> numbers;
  SmallVector<Value> factors;
  SmallVector<std::optional<StoredPattern>> patterns;
  /// Its state, and the factors' in its place.
  SmallVector<ExpandedArgument> states;

  /// Elementwise work on the gradient, the state and the parameter.
  DenseSet<Value> tensors;
  /// Full reductions of these.
  llvm::MapVector<Operation *, FullReduction> reductions;
  /// Of the reductions, those of a marked gradient that may be of several parameters as
  /// well as of one.
  llvm::SetVector<Operation *> global;
  /// Scalars that follow from the other reductions and from no other parameter's, and
  /// tensors of equal elements made of one.
  DenseSet<Value> own;
  SmallVector<ScalarJoin> joins;
  /// Reductions that join the parameter's scalars with others in a tensor of these.
  DenseMap<Operation *, SmallVector<Value>> stacks;
  /// Uses of own scalars outside of the parameter's optimizer.
  SmallVector<OpOperand *> outside;
  llvm::MapVector<Operation *, MeanDivisor> divisors;

  bool isOfParameterShape(Value value) const {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.getShape() == parameter.type.getShape();
  }
  /// Whether a result is the new value of the parameter or of its state.
  bool isOwnResult(unsigned number) const;
  /// Whether a result is the new value of any argument.
  bool isCarriedResult(unsigned number) const;
  int64_t getNumElements(unsigned factor) const {
    return cast<RankedTensorType>(factors[factor].getType()).getNumElements();
  }
  int64_t getNumFactorElements() const;
  /// The op of the function's own block that `op` is, or is inside of.
  Operation *getInBody(Operation *op) const;
  LogicalResult refuse(Operation *op) const;
};

/// Rule 6 for one factor parameter, whose uses are the einsum of its factors already: its
/// optimizer is cloned once per factor. Sets in `results`, by number, what takes the
/// place of the parameter's result and its states'; the dense optimizer is left without
/// users.
LogicalResult expandFactors(FactorOptimizer optimizer, const TensorNames &names,
                            MutableArrayRef<SmallVector<Value>> results);

/// Sets `tensors`, `reductions` and `global`.
LogicalResult findReductions(FactorOptimizer &optimizer);

/// Sets `own`, `joins`, `stacks` and `outside`.
LogicalResult followScalars(FactorOptimizer &optimizer, const TensorSets &sets);

/// Sets `divisors`, of own scalars and of those behind joins.
LogicalResult findMeans(FactorOptimizer &optimizer, const TensorSets &sets);

/// Says which reductions and means are taken otherwise than in the dense optimizer.
void remarkOnReductions(const FactorOptimizer &optimizer);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_FACTOROPTIMIZER_H
