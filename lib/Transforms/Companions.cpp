// The functions that convert between dense parameters and their storage.
#include "Companion.h"
#include "StructuredFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Transforms/Algebra.h"
#include "sparsam/Transforms/Boundary.h"
#include "sparsam/Transforms/Composition.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

class Companions {
public:
  explicit Companions(const StructuredFunction &function)
      : function(function), builder(function.func), states(getStates(function)) {
    builder.setInsertionPointAfter(function.func);
  }

  LogicalResult createDensify();
  LogicalResult createCompress(StringRef name, bool onPattern);

private:
  func::FuncOp getFunc() const { return function.func; }
  DictionaryAttr getAttrs(const StructuredParameter &parameter, StringRef part = {}) {
    return getCompanionAttrs(function, parameter, part);
  }
  DictionaryAttr getAttrs(const StateArgument &state, StringRef part = {}) {
    return getCompanionAttrs(function, state, part);
  }
  Value createZero(Companion &companion, RankedTensorType type);
  SmallVector<Value> selectCoupled(Companion &companion,
                                   const StructuredParameter &parameter,
                                   ArrayRef<Type> types, ValueRange dense);

  const StructuredFunction &function;
  OpBuilder builder;
  SmallVector<StateArgument> states;
  /// What was selected for groups of parameters.
  llvm::StringMap<Value> selected;
};

} // namespace

Value Companions::createZero(Companion &companion, RankedTensorType type) {
  Location loc = getFunc().getLoc();
  Value empty = tensor::EmptyOp::create(companion.body, loc, type.getShape(),
                                        type.getElementType());
  Value zero = arith::ConstantOp::create(
      companion.body, loc, companion.body.getZeroAttr(type.getElementType()));
  return linalg::FillOp::create(companion.body, loc, zero, empty).getResult(0);
}

/// The index tensors of a parameter with axes; those of a group are the same in all
/// parameters that have it, and chosen from all.
SmallVector<Value> Companions::selectCoupled(Companion &companion,
                                             const StructuredParameter &parameter,
                                             ArrayRef<Type> types, ValueRange dense) {
  SmallVector<Value> indices;
  auto axes = parameter.structure.getSlicedAxes();
  for (auto [axis, type] : llvm::zip_equal(axes, types)) {
    StringAttr group = axis.group;
    Value &known = selected[group];
    if (!known) {
      SmallVector<Value> sources;
      SmallVector<Attribute> structures;
      for (auto [other, value] : llvm::zip_equal(function.parameters, dense))
        if (llvm::any_of(other.structure.getSlicedAxes(),
                         [&](const SlicedAxis &own) { return own.group == group; })) {
          sources.push_back(value);
          structures.push_back(other.structure);
        }
      known = SelectCoupledOp::create(companion.body, parameter.loc, type, group, sources,
                                      builder.getArrayAttr(structures));
    }
    indices.push_back(known);
  }
  return indices;
}

static FailureOr<Value>
createSum(OpBuilder &builder, const StructuredParameter &parameter, ValueRange storage) {
  auto composition = Composition::get(parameter.structure, parameter.type, [&] {
    return emitError(parameter.loc) << parameter.path << ": ";
  });
  if (failed(composition))
    return failure();
  return composition->createSum(
      builder, parameter.loc,
      composition->createFactors(builder, parameter.loc, storage));
}

LogicalResult Companions::createDensify() {
  Companion companion(builder, getFunc().getLoc(), "densify");
  SmallVector<SmallVector<Value>> storage;
  for (const StructuredParameter &parameter : function.parameters)
    storage.push_back(addStorage(companion, function, parameter));
  for (auto [parameter, parts] : llvm::zip_equal(function.parameters, storage)) {
    FailureOr<Value> dense;
    if (parameter.isPattern())
      dense = DensifyOp::create(companion.body, parameter.loc, parameter.type, parts,
                                parameter.structure)
                  .getResult();
    else
      dense = createSum(companion.body, parameter, parts);
    if (failed(dense))
      return failure();
    companion.addResult(*dense, getAttrs(parameter));
  }
  companion.finish();
  return success();
}

LogicalResult Companions::createCompress(StringRef name, bool onPattern) {
  Companion companion(builder, getFunc().getLoc(), name);
  SmallVector<Value> dense;
  for (const StructuredParameter &parameter : function.parameters)
    dense.push_back(
        companion.addArgument(parameter.type, parameter.loc, getAttrs(parameter)));
  SmallVector<Value> denseStates;
  for (const StateArgument &state : states)
    denseStates.push_back(
        state.parameter->isPattern() || state.degree
            ? companion.addArgument(state.type, state.parameter->loc, getAttrs(state))
            : Value());
  DenseMap<const StructuredParameter *, StoredPattern> patterns;
  for (auto [parameter, value] : llvm::zip_equal(function.parameters, dense)) {
    SmallVector<Type> types;
    SmallVector<Value> indices;
    for (const StorageTensor &tensor : parameter.storage) {
      if (!tensor.isIndex())
        continue;
      types.push_back(tensor.type);
      if (onPattern)
        indices.push_back(companion.addArgument(tensor.type, parameter.loc,
                                                getAttrs(parameter, tensor.name)));
    }
    if (!onPattern && !parameter.structure.getSlicedAxes().empty())
      indices = selectCoupled(companion, parameter, types, dense);
    else if (!onPattern && parameter.isPattern())
      llvm::append_range(indices, SelectOp::create(companion.body, parameter.loc, types,
                                                   value, parameter.structure)
                                      .getPattern());
    patterns[&parameter] = {parameter.structure, indices};
  }
  IRRewriter rewriter(companion.body);
  auto restrict = [&](Value value, const StructuredParameter &parameter) {
    rewriter.setInsertionPointToEnd(&companion.func.front());
    return getOrCreateRestrict(rewriter, parameter.loc, value, patterns[&parameter]);
  };
  DenseMap<const StructuredParameter *, SmallVector<Value>> storage;
  for (auto [parameter, value] : llvm::zip_equal(function.parameters, dense)) {
    SmallVector<Value> factors;
    if (!parameter.isPattern()) {
      SmallVector<Type> types;
      for (const StorageTensor &tensor : parameter.storage)
        if (!onPattern || !tensor.isIndex())
          types.push_back(tensor.type);
      llvm::append_range(
          factors, FactorizeOp::create(companion.body, parameter.loc, types, value,
                                       patterns[&parameter].indices, parameter.structure)
                       .getFactors());
    }
    unsigned next = 0, nextIndex = 0;
    for (const StorageTensor &tensor : parameter.storage) {
      DictionaryAttr attrs = getAttrs(parameter, tensor.name);
      bool isGiven = onPattern && tensor.isIndex();
      if (!parameter.isPattern())
        storage[&parameter].push_back(isGiven ? patterns[&parameter].indices[nextIndex++]
                                              : factors[next]);
      if (isGiven)
        continue;
      if (!parameter.isPattern())
        companion.addResult(factors[next++], attrs);
      else if (tensor.isTrainable())
        companion.addResult(restrict(value, parameter), attrs);
      else
        companion.addResult(patterns[&parameter].indices[next++], attrs);
    }
  }
  for (auto [state, value] : llvm::zip_equal(states, denseStates)) {
    const StructuredParameter &parameter = *state.parameter;
    SmallVector<Value> stored;
    rewriter.setInsertionPointToEnd(&companion.func.front());
    if (parameter.isPattern()) {
      stored.push_back(restrict(value, parameter));
    } else if (state.degree) {
      auto factors = TrainedFactors::get(rewriter, parameter, storage[&parameter]);
      if (failed(factors))
        return failure();
      auto projected = factors->project(rewriter, parameter.loc, value, *state.degree);
      if (failed(projected))
        return failure();
      stored = std::move(*projected);
    } else {
      for (const StorageTensor &tensor : parameter.storage)
        if (tensor.isTrainable())
          stored.push_back(
              createZero(companion, RankedTensorType::get(tensor.type.getShape(),
                                                          state.type.getElementType())));
    }
    unsigned next = 0;
    for (const StorageTensor &tensor : parameter.storage)
      if (tensor.isTrainable())
        companion.addResult(stored[next++], getAttrs(state, tensor.name));
  }
  companion.finish();
  return success();
}

LogicalResult sparsam::createCompanions(ArrayRef<StructuredFunction> functions) {
  const StructuredFunction *chosen = findStep(functions);
  func::FuncOp func = chosen->func;
  Operation *module = func->getParentOp();
  for (StringRef name : {"compress", "compress_on_pattern", "densify"})
    if (Operation *taken = SymbolTable::lookupSymbolIn(module, name))
      return taken->emitError()
             << "@" << name << " is the name of a function that sparsam-expand-storage "
             << "makes; rename it or use companions=false";
  Companions companions(*chosen);
  if (failed(companions.createCompress("compress", /*onPattern=*/false)) ||
      failed(companions.createCompress("compress_on_pattern", /*onPattern=*/true)))
    return failure();
  return companions.createDensify();
}
