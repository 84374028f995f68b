#ifndef SPARSAM_LIB_TRANSFORMS_FINDPARAMETERS
#define SPARSAM_LIB_TRANSFORMS_FINDPARAMETERS

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "sparsam/IR/SparsamOps.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::sparsam {

/// A function's arguments and results, as the attributes on its boundary tell them.
struct StepBoundary {
  struct Parameter {
    unsigned argument;
    StringRef path;
    /// The number of the result that is its new value; none if it is only read.
    std::optional<unsigned> result;
    /// Without encoding.
    RankedTensorType type;
  };

  func::FuncOp function;
  func::ReturnOp terminator;
  SmallVector<Parameter> parameters;
  /// Carried arguments that are not parameters, with the number of their result.
  SmallVector<std::pair<unsigned, unsigned>> carried;

  /// Reads and checks the attributes; emits errors.
  static FailureOr<StepBoundary> read(func::FuncOp function);

  Value argument(unsigned i) { return function.getArgument(i); }
  Value newValue(unsigned result) { return terminator.getOperand(result); }
  /// "argument 3 ('path')", for messages.
  std::string describe(const Parameter &parameter) const;
};

/// The path of an argument for messages and for parameters that have no other:
/// `sparsam.name`, or `argN`.
std::string getArgumentName(func::FuncOp function, unsigned argument);

/// Removes the results that mark gradients, and returns the values they marked by the
/// path of the parameter. Emits errors.
FailureOr<llvm::StringMap<Value>> takeMarkedGradients(func::FuncOp function);

/// Where `gradient` and `other` are of one value, all of whose readers have `other`:
/// gives `gradient` those that make the new values of its own parameter and state. What
/// both parameters' new values are made of is made twice.
void separateReaders(StepBoundary &step, GradientOp gradient, GradientOp other);

/// Writes `sparsam.updates`, and `sparsam.param` if no argument has one, on a function
/// that has no `sparsam.updates`, where the data flow leaves one answer. Emits errors
/// that tell which attribute to write. `guessParameters` allows the second.
LogicalResult inferBoundary(func::FuncOp function, bool guessParameters);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_FINDPARAMETERS
