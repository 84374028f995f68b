// Functions beside a step that convert between what is stored and what is dense.
#ifndef SPARSAM_LIB_TRANSFORMS_COMPANION_H
#define SPARSAM_LIB_TRANSFORMS_COMPANION_H

#include "StructuredFunction.h"
#include "sparsam/Transforms/Composition.h"

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
  /// Of factors: the power of the gradient that it scales with, where that is known and
  /// the state can become that of the factors.
  std::optional<unsigned> degree = {};
};

/// The factors of a parameter, and those that are trained, as dense tensors and stored.
class TrainedFactors {
public:
  /// `storage` is all of the parameter's.
  static FailureOr<TrainedFactors>
  get(OpBuilder &builder, const StructuredParameter &parameter, ValueRange storage);

  /// The sum of the terms.
  Value sum(OpBuilder &builder, Location loc) const {
    return composition.createTerms(builder, loc, dense);
  }
  /// What a dense state is for the trained factors, as it is stored.
  FailureOr<SmallVector<Value>> project(IRRewriter &rewriter, Location loc, Value state,
                                        unsigned degree) const;
  /// The adjoint.
  Value spread(OpBuilder &builder, Location loc, ValueRange states,
               unsigned degree) const;

private:
  explicit TrainedFactors(Composition composition)
      : composition(std::move(composition)) {}

  Composition composition;
  SmallVector<Value> dense;
  SmallVector<unsigned> numbers;
  SmallVector<std::optional<StoredPattern>> patterns;
};

/// Makes the functions that take factor parameters to dense tensors, and their state, if
/// its degree is known, to dense tensors and back; none where there are no factors.
LogicalResult createFactorCompanions(const StructuredFunction &function);

/// In the order of the function's arguments.
SmallVector<StateArgument> getStates(const StructuredFunction &function);

/// The step that companions are made of: the first of `functions` that updates a
/// parameter, or else the first. Null where there is none.
const StructuredFunction *findStep(ArrayRef<StructuredFunction> functions);

/// The storage of a parameter as arguments.
SmallVector<Value> addStorage(Companion &companion, const StructuredFunction &function,
                              const StructuredParameter &parameter);

/// The attributes of a companion's argument or result: whose it is, and which part.
DictionaryAttr getCompanionAttrs(const StructuredFunction &function,
                                 const StructuredParameter &parameter,
                                 StringRef part = {});
DictionaryAttr getCompanionAttrs(const StructuredFunction &function,
                                 const StateArgument &state, StringRef part = {});

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_COMPANION_H
