// The functions that take factors and their optimizer state to dense tensors, and back.
#include "Companion.h"
#include "sparsam/Transforms/Boundary.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

class StateCompanions {
public:
  explicit StateCompanions(const StructuredFunction &function)
      : function(function), loc(func::FuncOp(function.func).getLoc()),
        builder(function.func) {
    for (const StateArgument &state : getStates(function))
      if (state.degree)
        states.push_back(state);
  }

  bool isEmpty() const { return states.empty(); }
  LogicalResult createProject();
  LogicalResult createSpread();

private:
  using Factors = DenseMap<const StructuredParameter *, TrainedFactors>;

  FailureOr<Factors> addFactors(Companion &companion);

  const StructuredFunction &function;
  Location loc;
  OpBuilder builder;
  /// That can follow.
  SmallVector<StateArgument> states;
};

} // namespace

/// What is found by steps of projecting and spreading takes more digits than a state
/// keeps.
static RankedTensorType getWide(RankedTensorType type) {
  return type.clone(getWideElement(type.getElementType()));
}

/// The storage of the parameters that have state, as arguments.
FailureOr<StateCompanions::Factors> StateCompanions::addFactors(Companion &companion) {
  Factors found;
  for (const StateArgument &state : states) {
    const StructuredParameter &parameter = *state.parameter;
    if (found.contains(&parameter))
      continue;
    auto factors = TrainedFactors::get(companion.body, parameter,
                                       addStorage(companion, function, parameter));
    if (failed(factors))
      return failure();
    found.try_emplace(&parameter, std::move(*factors));
  }
  return found;
}

LogicalResult StateCompanions::createProject() {
  Companion companion(builder, loc, "project");
  SmallVector<Value> dense;
  for (const StateArgument &state : states)
    dense.push_back(companion.addArgument(getWide(state.type), state.parameter->loc,
                                          getCompanionAttrs(function, state)));
  auto factors = addFactors(companion);
  if (failed(factors))
    return failure();
  IRRewriter rewriter(companion.body);
  for (auto [state, value] : llvm::zip_equal(states, dense)) {
    rewriter.setInsertionPointToEnd(&companion.func.front());
    const TrainedFactors &own = factors->find(state.parameter)->second;
    auto parts = own.project(rewriter, state.parameter->loc, value, *state.degree);
    if (failed(parts))
      return failure();
    unsigned next = 0;
    for (const StorageTensor &tensor : state.parameter->storage)
      if (tensor.isTrainable())
        companion.addResult((*parts)[next++],
                            getCompanionAttrs(function, state, tensor.name));
  }
  companion.finish();
  return success();
}

LogicalResult StateCompanions::createSpread() {
  Companion companion(builder, loc, "spread");
  SmallVector<SmallVector<Value>> stored;
  for (const StateArgument &state : states) {
    stored.emplace_back();
    for (const StorageTensor &tensor : state.parameter->storage)
      if (tensor.isTrainable())
        stored.back().push_back(
            companion.addArgument(getWide(tensor.type), state.parameter->loc,
                                  getCompanionAttrs(function, state, tensor.name)));
  }
  auto factors = addFactors(companion);
  if (failed(factors))
    return failure();
  for (auto [state, parts] : llvm::zip_equal(states, stored)) {
    const TrainedFactors &own = factors->find(state.parameter)->second;
    Value dense = own.spread(companion.body, state.parameter->loc, parts, *state.degree);
    NamedAttrList attrs(getCompanionAttrs(function, state));
    attrs.set(boundary::degree, builder.getI64IntegerAttr(*state.degree));
    companion.addResult(dense, attrs.getDictionary(builder.getContext()));
  }
  companion.finish();
  return success();
}

/// The sum of the terms of each factor parameter, which is not what the model reads where
/// that selects from it.
static LogicalResult createSums(const StructuredFunction &function) {
  func::FuncOp step = function.func;
  Companion companion(OpBuilder(step), step.getLoc(), "sum");
  for (const StructuredParameter &parameter : function.parameters) {
    if (parameter.isPattern())
      continue;
    auto factors = TrainedFactors::get(companion.body, parameter,
                                       addStorage(companion, function, parameter));
    if (failed(factors))
      return failure();
    companion.addResult(factors->sum(companion.body, parameter.loc),
                        getCompanionAttrs(function, parameter));
  }
  companion.finish();
  return success();
}

LogicalResult sparsam::createFactorCompanions(const StructuredFunction &function) {
  if (llvm::all_of(function.parameters, [](const StructuredParameter &parameter) {
        return parameter.isPattern();
      }))
    return success();
  if (failed(createSums(function)))
    return failure();
  StateCompanions companions(function);
  if (companions.isEmpty())
    return success();
  if (failed(companions.createProject()))
    return failure();
  return companions.createSpread();
}
