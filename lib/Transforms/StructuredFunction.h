// The structured parameters of a function and what belongs to each.
#ifndef SPARSAM_LIB_TRANSFORMS_STRUCTUREDFUNCTION_H
#define SPARSAM_LIB_TRANSFORMS_STRUCTUREDFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "sparsam/IR/SparsamOps.h"

namespace mlir::sparsam {

/// A carried argument and the result that is its new value, if there is one.
struct CarriedValue {
  unsigned argument;
  std::optional<unsigned> result;
};

struct StructuredParameter {
  CarriedValue value;
  std::string path;
  StructureInterface structure;
  /// Without its encoding.
  RankedTensorType type;
  SmallVector<StorageTensor> storage;
  SmallVector<CarriedValue> states;
  /// Null where the function only reads the parameter.
  GradientOp gradient;
  Location loc;

  bool isPattern() const { return structure.getKind() == StructureKind::Pattern; }
};

/// A function with one block whose arguments may be structured.
struct StructuredFunction {
  func::FuncOp func;
  /// In the order of the arguments.
  SmallVector<StructuredParameter> parameters;

  Block &getBody() const { return func::FuncOp(func).front(); }
  Operation *getReturn() const { return getBody().getTerminator(); }
};

/// Finds and checks the structured parameters of `func`; there may be none.
FailureOr<StructuredFunction> getStructuredFunction(func::FuncOp func);

/// All functions of `module` that have structured parameters.
FailureOr<SmallVector<StructuredFunction>> getStructuredFunctions(ModuleOp module);

/// The name of a parameter for messages: its path, or its number.
std::string getParameterName(func::FuncOp func, unsigned argument);

/// What an argument is carried to, from its attribute; fails with an error where the
/// attribute names no result of its type, encodings aside.
FailureOr<CarriedValue> getCarriedValue(func::FuncOp func, unsigned argument);

/// Gives every value in `func` whose type has a structure as its encoding the plain
/// type; for the arguments and results it is the caller who changes the signature.
void dropEncodings(func::FuncOp func);

/// One argument's new values: one for each storage tensor that it becomes.
struct ExpandedArgument {
  BlockArgument argument;
  SmallVector<Value> parts;
};

/// Makes the functions that convert between a step's dense parameters and state and
/// their storage: of the first of `functions` that updates a parameter, or else of the
/// first. Before these are expanded.
LogicalResult createCompanions(ArrayRef<StructuredFunction> functions);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_STRUCTUREDFUNCTION_H
