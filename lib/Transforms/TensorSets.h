// Which parameters' tensors a value of an optimizer is computed from.
#ifndef SPARSAM_LIB_TRANSFORMS_TENSORSETS_H
#define SPARSAM_LIB_TRANSFORMS_TENSORSETS_H

#include "StructuredFunction.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::sparsam {

/// The tensor of the optimizer's tree that each carried argument is, or is state of.
using TensorNames = DenseMap<Value, std::string>;

/// What the tensor that takes the place of parameter `path` in the tree is called.
std::string getFactorName(StringRef path, unsigned number);

/// Of the arguments of `function`, by old number. Carried scalars (a step count, a
/// learning rate) are of no tensor.
TensorNames getTensorNames(const StructuredFunction &function,
                           ArrayRef<ExpandedArgument> arguments);

/// For each value, the tensors of the optimizer's tree whose gradient, state or own value
/// it is computed from. A gradient is a gradient: what the backward pass read does not
/// count.
class TensorSets {
public:
  /// `dense` is the parameter `path` where the function reads it.
  TensorSets(StructuredFunction &function, const TensorNames &names, StringRef path,
             Value dense);

  enum Kind {
    /// Of no tensor: constants, the learning rate, the number of the step.
    Neutral,
    /// Of the parameter, perhaps among others.
    OfParameter,
    /// Of other parameters alone.
    OfOthers
  };
  Kind getKind(Value value) const;
  bool areDisjoint(Value a, Value b) const;

private:
  using Set = llvm::SmallBitVector;

  Set get(Value value) const;
  const Set &get(Operation *op) const;
  void add(Set &set, StringRef name) const;

  Block *body;
  const TensorNames &names;
  StringRef path;
  Operation *dense;
  /// Of the tensors and ops that were asked for: there is one of these for each
  /// parameter, which would all go through the whole function.
  mutable llvm::StringMap<unsigned> numbers;
  mutable DenseMap<Operation *, Set> sets;
};

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_TENSORSETS_H
