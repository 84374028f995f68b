// The functions that move the patterns of a step's parameters.
#include "Companion.h"
#include "sparsam/Transforms/Algebra.h"
#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_MAKEREFRESHPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// The trainable tensor and the index tensors that a pattern parameter is stored as.
struct PatternParts {
  explicit PatternParts(const StructuredParameter &parameter) : parameter(&parameter) {
    for (const StorageTensor &tensor : parameter.storage) {
      if (tensor.isIndex())
        indices.push_back(tensor);
      else
        values = tensor;
    }
  }

  const StructuredParameter *parameter;
  StorageTensor values;
  SmallVector<StorageTensor> indices;
};

class Refresh {
public:
  explicit Refresh(const StructuredFunction &function)
      : function(function), loc(func::FuncOp(function.func).getLoc()),
        builder(function.func), states(llvm::filter_to_vector(
                                    getStates(function), [](const StateArgument &state) {
                                      return state.parameter->isPattern();
                                    })) {
    for (const StructuredParameter &parameter : function.parameters)
      if (parameter.isPattern())
        patterns.emplace_back(parameter);
  }

  bool isEmpty() const { return patterns.empty(); }
  void createSelect();
  void createRestrict();
  void createDensify();

private:
  using Patterns = DenseMap<const StructuredParameter *, StoredPattern>;

  Patterns addPatterns(Companion &companion);
  DictionaryAttr getAttrs(const PatternParts &parts, StringRef part = {}) {
    return getCompanionAttrs(function, *parts.parameter, part);
  }
  const StorageTensor &getValues(const StateArgument &state) {
    return llvm::find_if(patterns,
                         [&](const PatternParts &parts) {
                           return parts.parameter == state.parameter;
                         })
        ->values;
  }

  const StructuredFunction &function;
  Location loc;
  OpBuilder builder;
  SmallVector<StateArgument> states;
  SmallVector<PatternParts> patterns;
};

} // namespace

void Refresh::createSelect() {
  Companion companion(builder, loc, "select");
  SmallVector<Value> scores;
  for (const PatternParts &parts : patterns)
    scores.push_back(companion.addArgument(
        RankedTensorType::get(parts.parameter->type.getShape(), builder.getF64Type()),
        parts.parameter->loc, getAttrs(parts)));
  for (auto [parts, score] : llvm::zip_equal(patterns, scores)) {
    SmallVector<Type> types = llvm::map_to_vector(
        parts.indices, [](const StorageTensor &tensor) -> Type { return tensor.type; });
    auto selected = SelectOp::create(companion.body, parts.parameter->loc, types, score,
                                     parts.parameter->structure);
    for (auto [tensor, value] : llvm::zip_equal(parts.indices, selected.getPattern()))
      companion.addResult(value, getAttrs(parts, tensor.name));
  }
  companion.finish();
}

Refresh::Patterns Refresh::addPatterns(Companion &companion) {
  Patterns stored;
  for (const PatternParts &parts : patterns) {
    StoredPattern pattern{parts.parameter->structure, {}};
    for (const StorageTensor &tensor : parts.indices)
      pattern.indices.push_back(companion.addArgument(tensor.type, parts.parameter->loc,
                                                      getAttrs(parts, tensor.name)));
    stored[parts.parameter] = std::move(pattern);
  }
  return stored;
}

void Refresh::createRestrict() {
  Companion companion(builder, loc, "restrict");
  SmallVector<Value> dense, denseStates;
  for (const PatternParts &parts : patterns)
    dense.push_back(companion.addArgument(parts.parameter->type, parts.parameter->loc,
                                          getAttrs(parts)));
  for (const StateArgument &state : states)
    denseStates.push_back(companion.addArgument(state.type, state.parameter->loc,
                                                getCompanionAttrs(function, state)));
  Patterns stored = addPatterns(companion);
  IRRewriter rewriter(companion.body);
  auto restrict = [&](Value value, const StructuredParameter *parameter) {
    rewriter.setInsertionPointToEnd(&companion.func.front());
    return getOrCreateRestrict(rewriter, parameter->loc, value, stored[parameter]);
  };
  for (auto [parts, value] : llvm::zip_equal(patterns, dense))
    companion.addResult(restrict(value, parts.parameter),
                        getAttrs(parts, parts.values.name));
  for (auto [state, value] : llvm::zip_equal(states, denseStates))
    companion.addResult(restrict(value, state.parameter),
                        getCompanionAttrs(function, state, getValues(state).name));
  companion.finish();
}

void Refresh::createDensify() {
  Companion companion(builder, loc, "densify");
  SmallVector<Value> values, stateValues;
  for (const PatternParts &parts : patterns)
    values.push_back(companion.addArgument(parts.values.type, parts.parameter->loc,
                                           getAttrs(parts, parts.values.name)));
  for (const StateArgument &state : states) {
    const StorageTensor &own = getValues(state);
    stateValues.push_back(companion.addArgument(
        RankedTensorType::get(own.type.getShape(), state.type.getElementType()),
        state.parameter->loc, getCompanionAttrs(function, state, own.name)));
  }
  Patterns stored = addPatterns(companion);
  auto densify = [&](Value value, const StructuredParameter *parameter,
                     RankedTensorType type) {
    return sparsam::createDensify(companion.body, parameter->loc, value,
                                  stored[parameter], type);
  };
  for (auto [parts, value] : llvm::zip_equal(patterns, values))
    companion.addResult(densify(value, parts.parameter, parts.parameter->type),
                        getAttrs(parts));
  for (auto [state, value] : llvm::zip_equal(states, stateValues))
    companion.addResult(densify(value, state.parameter, state.type),
                        getCompanionAttrs(function, state));
  companion.finish();
}

namespace {

struct MakeRefreshPass : mlir::sparsam::impl::MakeRefreshPassBase<MakeRefreshPass> {
  using MakeRefreshPassBase::MakeRefreshPassBase;

  void runOnOperation() override {
    auto funcs = llvm::to_vector(getOperation().getOps<func::FuncOp>());
    auto functions = getStructuredFunctions(getOperation());
    if (failed(functions))
      return signalPassFailure();
    const StructuredFunction *step = findStep(*functions);
    if (!step) {
      getOperation().emitError() << "has no structured parameter that could move; "
                                    "sparsam-apply-structure gives one";
      return signalPassFailure();
    }
    Refresh refresh(*step);
    if (!refresh.isEmpty()) {
      refresh.createSelect();
      refresh.createRestrict();
      refresh.createDensify();
    }
    if (failed(createFactorCompanions(*step)))
      return signalPassFailure();
    numMoved += step->parameters.size();
    for (func::FuncOp func : funcs)
      func.erase();
  }
};

} // namespace
