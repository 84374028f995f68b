// Rule 6: the optimizer of a factor structure.
//
// W = einsum(U, V) has no update of its own. The gradient of each factor is the
// einsum's derivative applied to the gradient of W, and the optimizer, which is
// elementwise, is cloned once per factor at the factor's shape. What it reduces over W
// in full (a norm) is reduced over the factors.
#include "FactorProduct.h"
#include "mlir/Transforms/RegionUtils.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Transforms/Boundary.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// What a scalar has an influence on.
struct Reach {
  llvm::SmallDenseSet<unsigned> results;
  bool reachesGradient = false;
  SmallVector<Operation *> ops;
};

class FactorExpansion {
public:
  FactorExpansion(StructuredFunction &function, const StructuredParameter &parameter,
                  Value dense, ValueRange factors, ArrayRef<ExpandedArgument> states)
      : function(function), parameter(parameter), dense(dense), factors(factors),
        states(states), maps(factors.size()) {}

  LogicalResult run(MutableArrayRef<SmallVector<Value>> results);

private:
  LogicalResult mapLeaves();
  LogicalResult findReductions();
  LogicalResult findReductionsFrom(ValueRange leaves, bool isParameter);
  LogicalResult addReduction(FullReduction reduction, bool ofParameterAlone);
  LogicalResult replaceReductions();
  Reach getReach(Value value);
  bool isOwnResult(unsigned number) const;
  bool isForwardPart(const Reach &reach) const;

  FailureOr<Value> cloneFor(unsigned factor, Value value);
  FailureOr<Value> cloneElementwiseFor(unsigned factor, const ElementwiseOp &op);
  FailureOr<Value> cloneReductionFor(unsigned factor, const FullReduction &reduction,
                                     Value init);
  FailureOr<Value> mapScalar(unsigned factor, Value scalar);
  FailureOr<IRMapping> mapOutside(unsigned factor, Operation *op);
  LogicalResult refuse(Operation *op) const;
  ArrayRef<int64_t> getShape(unsigned factor) const {
    return cast<RankedTensorType>(factors[factor].getType()).getShape();
  }
  bool isOfParameterShape(Value value) const {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.getShape() == parameter.type.getShape();
  }

  StructuredFunction &function;
  const StructuredParameter &parameter;
  Value dense;
  ValueRange factors;
  ArrayRef<ExpandedArgument> states;
  /// For each factor, what takes the place of values of the dense optimizer.
  SmallVector<DenseMap<Value, Value>> maps;
  /// Reductions whose result concerns other parameters too: over all factors.
  llvm::MapVector<Operation *, FullReduction> global;
  /// Reductions for this parameter alone, done for each factor alone, and the scalar
  /// work that follows on them.
  DenseMap<Operation *, FullReduction> single;
  DenseSet<Operation *> singleScalars;
};

} // namespace

LogicalResult FactorExpansion::refuse(Operation *op) const {
  InFlightDiagnostic diagnostic =
      op->emitOpError()
      << "is not elementwise in the optimizer of " << parameter.path << ", so "
      << parameter.structure
      << " has no update for its factors; choose a pattern structure or dense, or an "
         "elementwise optimizer";
  diagnostic.attachNote(parameter.loc) << "the parameter is here";
  return diagnostic;
}

bool FactorExpansion::isOwnResult(unsigned number) const {
  return parameter.value.result == number ||
         llvm::any_of(parameter.states,
                      [&](const CarriedValue &state) { return state.result == number; });
}

Reach FactorExpansion::getReach(Value value) {
  Reach reach;
  DenseSet<Operation *> seen;
  SmallVector<Value> worklist{value};
  while (!worklist.empty()) {
    for (OpOperand &use : worklist.pop_back_val().getUses()) {
      Operation *user = use.getOwner();
      // Work inside a region counts as the work of the op around it.
      while (user->getBlock() != &function.getBody())
        user = user->getParentOp();
      if (user == function.getReturn()) {
        if (use.getOwner() == user)
          reach.results.insert(use.getOperandNumber());
        continue;
      }
      if (!seen.insert(user).second)
        continue;
      reach.reachesGradient |= isa<GradientOp>(user);
      reach.ops.push_back(user);
      llvm::append_range(worklist, user->getResults());
    }
  }
  return reach;
}

/// The loss, the backward pass, and what the step tells its caller belong to the
/// forward part: there the parameter is its einsum.
bool FactorExpansion::isForwardPart(const Reach &reach) const {
  auto isCarried = [&](unsigned number) {
    func::FuncOp func = function.func;
    for (unsigned argument = 0; argument < func.getNumArguments(); ++argument) {
      auto updates = func.getArgAttrOfType<IntegerAttr>(argument, boundary::updates);
      if (updates && updates.getInt() == number)
        return true;
    }
    return false;
  };
  return reach.reachesGradient || !llvm::all_of(reach.results, isCarried);
}

LogicalResult FactorExpansion::addReduction(FullReduction reduction,
                                            bool ofParameterAlone) {
  Operation *op = reduction.op;
  if (global.contains(op) || single.contains(op))
    return success();
  Reach reach = getReach(op->getResult(0));
  if (reach.results.empty())
    return success();
  if (ofParameterAlone && isForwardPart(reach))
    return success();
  if (!llvm::all_of(reach.results, [&](unsigned r) { return isOwnResult(r); })) {
    global.insert({op, reduction});
    return success();
  }
  op->emitRemark() << "reduces over " << parameter.path
                   << " alone and counts as one for each tensor: " << parameter.structure
                   << " does it for each of its factors";
  single.try_emplace(op, reduction);
  for (Operation *user : reach.ops)
    if (!llvm::any_of(user->getResults(),
                      [&](Value result) { return isOfParameterShape(result); }))
      singleScalars.insert(user);
  return success();
}

/// Walks from the gradient and the state, or from the parameter, through elementwise
/// work to the reductions over it.
LogicalResult FactorExpansion::findReductionsFrom(ValueRange leaves, bool isParameter) {
  DenseSet<Operation *> seen;
  SmallVector<Value> worklist(leaves);
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      if (user == function.getReturn()) {
        if (!isParameter && !isOwnResult(use.getOperandNumber()))
          return user->emitOpError()
                 << "returns a tensor of the optimizer of " << parameter.path
                 << " as result " << use.getOperandNumber() << ", which "
                 << parameter.structure << " does not have";
        continue;
      }
      if (!seen.insert(user).second)
        continue;
      if (auto elementwise = matchElementwise(user);
          succeeded(elementwise) && isOfParameterShape(user->getResult(0)) &&
          !llvm::any_of(elementwise->operands, [](const ElementwiseOperand &operand) {
            return operand.access == ElementAccess::Permuted;
          })) {
        worklist.push_back(user->getResult(0));
        continue;
      }
      auto reduction = matchFullReduction(user);
      if (succeeded(reduction)) {
        if (failed(addReduction(*reduction, isParameter)))
          return failure();
        continue;
      }
      if (!isParameter)
        return refuse(user);
    }
  }
  return success();
}

LogicalResult FactorExpansion::findReductions() {
  SmallVector<Value> leaves;
  if (GradientOp gradient = parameter.gradient)
    leaves.push_back(gradient.getResult());
  for (const ExpandedArgument &state : states)
    leaves.push_back(state.argument);
  if (failed(findReductionsFrom(leaves, /*isParameter=*/false)))
    return failure();
  return findReductionsFrom(dense, /*isParameter=*/true);
}

LogicalResult FactorExpansion::mapLeaves() {
  for (auto [number, factor] : llvm::enumerate(factors)) {
    maps[number][dense] = factor;
    for (const ExpandedArgument &state : states)
      maps[number][state.argument] = state.parts[number];
  }
  GradientOp gradient = parameter.gradient;
  if (!gradient)
    return success();
  OpBuilder builder(gradient);
  auto gradients = createFactorGradients(builder, gradient.getLoc(), parameter, factors,
                                         gradient.getValue());
  if (failed(gradients))
    return failure();
  for (auto [map, value] : llvm::zip_equal(maps, *gradients))
    map[gradient.getResult()] = value;
  return success();
}

FailureOr<IRMapping> FactorExpansion::mapOutside(unsigned factor, Operation *op) {
  IRMapping mapping;
  SetVector<Value> outside;
  getUsedValuesDefinedAbove(op->getRegions(), outside);
  for (Value value : outside) {
    auto mapped = mapScalar(factor, value);
    if (failed(mapped))
      return failure();
    mapping.map(value, *mapped);
  }
  return mapping;
}

/// A scalar is the same for all factors, but for what follows on a reduction that
/// each factor does alone.
FailureOr<Value> FactorExpansion::mapScalar(unsigned factor, Value scalar) {
  if (Value done = maps[factor].lookup(scalar))
    return done;
  Operation *op = scalar.getDefiningOp();
  if (!op)
    return scalar;
  if (auto found = single.find(op); found != single.end()) {
    linalg::LinalgOp reduction = found->second.op;
    auto init = mapScalar(factor, reduction.getDpsInits()[0]);
    if (failed(init))
      return failure();
    return cloneReductionFor(factor, found->second, *init);
  }
  if (!singleScalars.contains(op))
    return scalar;
  auto mapping = mapOutside(factor, op);
  if (failed(mapping))
    return failure();
  for (Value operand : op->getOperands()) {
    auto mapped = mapScalar(factor, operand);
    if (failed(mapped))
      return failure();
    mapping->map(operand, *mapped);
  }
  OpBuilder builder(op);
  Operation *clone = builder.clone(*op, *mapping);
  for (auto [from, to] : llvm::zip_equal(op->getResults(), clone->getResults()))
    maps[factor][from] = to;
  return maps[factor][scalar];
}

FailureOr<Value> FactorExpansion::cloneReductionFor(unsigned factor,
                                                    const FullReduction &reduction,
                                                    Value init) {
  linalg::LinalgOp op = reduction.op;
  SmallVector<Value> inputs;
  for (Value input : op.getDpsInputs()) {
    auto mapped = cloneFor(factor, input);
    if (failed(mapped))
      return failure();
    inputs.push_back(*mapped);
  }
  auto outside = mapOutside(factor, op);
  if (failed(outside))
    return failure();
  OpBuilder builder(op);
  Value result =
      cloneReduction(builder, reduction, inputs, init, getShape(factor), *outside);
  return maps[factor][op->getResult(0)] = result;
}

FailureOr<Value> FactorExpansion::cloneElementwiseFor(unsigned factor,
                                                      const ElementwiseOp &op) {
  linalg::LinalgOp linalgOp = op.op;
  SmallVector<Value> operands;
  for (const ElementwiseOperand &operand : op.operands) {
    if (operand.access == ElementAccess::Permuted)
      return refuse(linalgOp);
    auto mapped = operand.access == ElementAccess::Scalar
                      ? mapScalar(factor, operand.value)
                      : cloneFor(factor, operand.value);
    if (failed(mapped))
      return failure();
    operands.push_back(*mapped);
  }
  auto outside = mapOutside(factor, linalgOp);
  if (failed(outside))
    return failure();
  OpBuilder builder(linalgOp);
  return cloneElementwise(builder, op, operands, getShape(factor), *outside);
}

/// A value of the dense optimizer at the shape of a factor.
FailureOr<Value> FactorExpansion::cloneFor(unsigned factor, Value value) {
  if (Value done = maps[factor].lookup(value))
    return done;
  Operation *op = value.getDefiningOp();
  if (!op)
    return emitError(value.getLoc())
           << "the argument, of the shape of " << parameter.path
           << ", takes part in its optimizer but is not known as its state: "
           << parameter.structure << " needs " << boundary::stateOf << " on it";
  auto elementwise = matchElementwise(op);
  FailureOr<Value> clone = failure();
  if (succeeded(elementwise) && isOfParameterShape(value)) {
    clone = cloneElementwiseFor(factor, *elementwise);
  } else {
    OpBuilder builder(op);
    if (Value uniform = remakeUniform(builder, value, getShape(factor)))
      clone = uniform;
    else
      return refuse(op);
  }
  if (succeeded(clone))
    maps[factor][value] = *clone;
  return clone;
}

LogicalResult FactorExpansion::replaceReductions() {
  for (auto &[op, reduction] : global) {
    linalg::LinalgOp linalgOp = reduction.op;
    Value result = linalgOp.getDpsInits()[0];
    for (unsigned factor = 0; factor < factors.size(); ++factor) {
      auto next = cloneReductionFor(factor, reduction, result);
      if (failed(next))
        return failure();
      result = *next;
    }
    op->getResult(0).replaceAllUsesWith(result);
  }
  return success();
}

LogicalResult FactorExpansion::run(MutableArrayRef<SmallVector<Value>> results) {
  SmallVector<CarriedValue> carried{parameter.value};
  llvm::append_range(carried, parameter.states);
  if (parameter.value.result && !parameter.gradient)
    return emitError(parameter.loc)
           << parameter.path << " of " << parameter.structure
           << " is updated but has no sparsam.gradient; run sparsam-find-parameters";
  if (function.func.getArgAttr(parameter.value.argument, boundary::notElementwise))
    return emitError(parameter.loc)
           << "the optimizer of " << parameter.path
           << " is not elementwise in the gradient, so " << parameter.structure
           << " has no update for its factors; choose a pattern structure or dense";
  if (failed(findReductions()) || failed(mapLeaves()) || failed(replaceReductions()))
    return failure();
  for (const CarriedValue &value : carried) {
    if (!value.result)
      continue;
    Value updated = function.getReturn()->getOperand(*value.result);
    for (unsigned factor = 0; factor < factors.size(); ++factor) {
      auto clone = cloneFor(factor, updated);
      if (failed(clone))
        return failure();
      results[*value.result].push_back(*clone);
    }
  }
  return success();
}

LogicalResult sparsam::expandFactors(StructuredFunction &function,
                                     const StructuredParameter &parameter, Value dense,
                                     ValueRange factors,
                                     ArrayRef<ExpandedArgument> states,
                                     MutableArrayRef<SmallVector<Value>> results) {
  return FactorExpansion(function, parameter, dense, factors, states).run(results);
}
