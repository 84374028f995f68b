// Functions beside a step that convert between what is stored and what is dense.
#ifndef SPARSAM_LIB_TRANSFORMS_COMPANION_H
#define SPARSAM_LIB_TRANSFORMS_COMPANION_H

#include "StructuredFunction.h"

namespace mlir::sparsam {

/// A function in the making: arguments and results with their attributes.
struct Companion {
  func::FuncOp func;
  OpBuilder body;
  SmallVector<DictionaryAttr> argumentAttrs, resultAttrs;
  SmallVector<Value> returned;

  Companion(OpBuilder builder, Location loc, StringRef name);
  Value addArgument(Type type, Location loc, DictionaryAttr attrs);
  void addResult(Value value, DictionaryAttr attrs);
  void finish();
};

/// One state argument of a structured parameter.
struct StateArgument {
  const StructuredParameter *parameter;
  unsigned argument;
  /// Dense.
  RankedTensorType type;
};

/// In the order of the function's arguments.
SmallVector<StateArgument> getStates(const StructuredFunction &function);

/// The step that companions are made of: the first of `functions` that updates a
/// parameter, or else the first. Null where there is none.
const StructuredFunction *findStep(ArrayRef<StructuredFunction> functions);

/// The attributes of a companion's argument or result: whose it is, and which part.
DictionaryAttr getCompanionAttrs(const StructuredFunction &function,
                                 const StructuredParameter &parameter,
                                 StringRef part = {});
DictionaryAttr getCompanionAttrs(const StructuredFunction &function,
                                 const StateArgument &state, StringRef part = {});

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_COMPANION_H
