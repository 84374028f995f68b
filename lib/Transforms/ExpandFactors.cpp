// Rule 6: the optimizer of a factor structure.
//
// W = einsum(U, V) has no update of its own. The gradient of each factor is the
// einsum's derivative applied to the gradient of W, and the optimizer, which is
// elementwise, is cloned once per factor at the factor's shape.
#include "FactorGroup.h"
#include "ScalarWork.h"
#include "sparsam/Transforms/Boundary.h"

using namespace mlir;
using namespace mlir::sparsam;

FactorOptimizer::FactorOptimizer(OpBuilder &builder, StructuredFunction &function,
                                 const StructuredParameter &parameter,
                                 const FactorizedValue &value,
                                 ArrayRef<ExpandedArgument> states)
    : function(function), parameter(parameter), composition(value.composition),
      allFactors(value.factors), dense(value.dense), states(states) {
  for (unsigned number = 0; number < composition.size(); ++number) {
    if (composition[number].isFrozen)
      continue;
    numbers.push_back(number);
    factors.push_back(allFactors[number]);
    patterns.push_back(composition.getPattern(number, value.storage));
  }
  for (ExpandedArgument &state : this->states)
    for (auto [part, factor, pattern] : llvm::zip_equal(state.parts, factors, patterns))
      if (pattern)
        part = createDensify(
            builder, part.getLoc(), part, *pattern,
            cast<RankedTensorType>(factor.getType())
                .clone(cast<RankedTensorType>(part.getType()).getElementType()));
}

namespace {

class FactorExpansion {
public:
  FactorExpansion(FactorOptimizer &optimizer, const TensorNames &names)
      : optimizer(optimizer), parameter(optimizer.parameter), names(names) {}

  LogicalResult run(MutableArrayRef<SmallVector<Value>> results);

private:
  LogicalResult check();
  LogicalResult replaceGradient(MutableArrayRef<DenseMap<Value, Value>> leaves);
  LogicalResult makeGroups();
  Value restrict(unsigned number, Value updated);
  LogicalResult join(const ScalarJoin &join);
  FailureOr<Value> joinStarts(const FullReduction &reduction, Value init);
  LogicalResult replaceOutside(OpOperand &use);
  void replaceJoinedMeans();

  FactorOptimizer &optimizer;
  const StructuredParameter &parameter;
  const TensorNames &names;
  /// One of each factor alone, then one of all factors.
  SmallVector<FactorGroup> groups;
  /// The reductions of the marked gradient over all factors.
  DenseMap<Operation *, Value> globals;
};

} // namespace

LogicalResult FactorExpansion::check() {
  // What trains nothing needs no update.
  if (optimizer.factors.empty())
    return success();
  if (parameter.value.result && !parameter.gradient)
    return emitError(parameter.loc)
           << parameter.path << " of " << parameter.structure
           << " is updated but has no sparsam.gradient; run sparsam-find-parameters";
  func::FuncOp func = optimizer.function.func;
  if (func.getArgAttr(parameter.value.argument, boundary::notElementwise))
    return emitError(parameter.loc)
           << "the optimizer of " << parameter.path
           << " is not elementwise in the gradient, so " << parameter.structure
           << " has no update for its factors; choose a pattern structure or dense";
  return success();
}

/// The gradient of the parameter becomes those of its factors, which are marked as such:
/// parameters that are expanded later see whose scalars are made from them.
LogicalResult
FactorExpansion::replaceGradient(MutableArrayRef<DenseMap<Value, Value>> leaves) {
  GradientOp gradient = parameter.gradient;
  if (!gradient)
    return success();
  IRRewriter rewriter(gradient);
  Location loc = gradient.getLoc();
  auto made = optimizer.composition.createGradients(
      rewriter, loc, optimizer.numbers, optimizer.allFactors, gradient.getValue());
  if (failed(made))
    return failure();
  for (auto [number, value] : llvm::enumerate(*made)) {
    if (auto &pattern = optimizer.patterns[number]) {
      Value stored = getOrCreateRestrict(rewriter, loc, value, *pattern);
      rewriter.setInsertionPoint(gradient);
      value = createDensify(rewriter, loc, stored, *pattern,
                            cast<RankedTensorType>(value.getType()));
    }
    leaves[number][gradient.getResult()] =
        GradientOp::create(rewriter, loc, value, getFactorName(parameter.path, number),
                           gradient.getMarked());
  }
  return success();
}

LogicalResult FactorExpansion::makeGroups() {
  SmallVector<DenseMap<Value, Value>> leaves(optimizer.factors.size());
  for (auto [number, factor] : llvm::enumerate(optimizer.factors)) {
    leaves[number][optimizer.dense] = factor;
    for (const ExpandedArgument &state : optimizer.states)
      leaves[number][state.argument] = state.parts[number];
  }
  if (failed(replaceGradient(leaves)))
    return failure();
  SmallVector<unsigned> all =
      llvm::to_vector(llvm::seq<unsigned>(0, optimizer.factors.size()));
  for (unsigned number : all)
    groups.emplace_back(optimizer, number, leaves);
  groups.emplace_back(optimizer, all, leaves);
  return success();
}

/// One reduction that goes on over the factors, each with the scalars of its own.
FailureOr<Value> FactorExpansion::joinStarts(const FullReduction &reduction, Value init) {
  for (FactorGroup &group : MutableArrayRef(groups).drop_back()) {
    auto next = group.cloneReduction(reduction, init);
    if (failed(next))
      return failure();
    init = *next;
  }
  return init;
}

LogicalResult FactorExpansion::join(const ScalarJoin &join) {
  Value own = join.operand->get();
  Operation *user = join.operand->getOwner();
  auto continued = dyn_cast<linalg::LinalgOp>(user);
  auto reduction = optimizer.reductions.find(own.getDefiningOp());
  // A reduction that another one starts from starts from one value, once.
  if (reduction != optimizer.reductions.end() && continued &&
      continued.isDpsInit(join.operand) &&
      !optimizer.own.contains(reduction->second.op.getDpsInits()[0])) {
    auto joined = joinStarts(reduction->second, reduction->second.op.getDpsInits()[0]);
    if (succeeded(joined))
      join.operand->set(*joined);
    return joined;
  }
  OpBuilder builder(optimizer.getInBody(user));
  Value joined;
  for (FactorGroup &group : MutableArrayRef(groups).drop_back()) {
    auto scalar = group.cloneScalar(own);
    if (failed(scalar))
      return failure();
    joined = joined
                 ? createCombined(builder, own.getLoc(), join.combiner, joined, *scalar)
                 : *scalar;
  }
  // Where no factor is trained, nothing of the parameter is in the tree.
  if (!joined)
    joined = createNeutral(builder, own.getLoc(), join.combiner, own.getType());
  if (!joined)
    return optimizer.refuse(user);
  join.operand->set(joined);
  return success();
}

/// Outside of the parameter's own optimizer its factors count as one tensor.
LogicalResult FactorExpansion::replaceOutside(OpOperand &use) {
  Operation *op = use.get().getDefiningOp();
  FailureOr<Value> scalar = failure();
  if (optimizer.global.contains(op)) {
    if (!globals.contains(op)) {
      FullReduction &reduction = optimizer.reductions.find(op)->second;
      auto made = groups.back().cloneReduction(reduction, reduction.op.getDpsInits()[0]);
      if (failed(made))
        return failure();
      globals[op] = *made;
    }
    scalar = globals[op];
  } else {
    scalar = groups.back().cloneScalar(use.get());
  }
  if (succeeded(scalar))
    use.set(*scalar);
  return scalar;
}

void FactorExpansion::replaceJoinedMeans() {
  for (auto &[op, divisor] : optimizer.divisors) {
    if (optimizer.own.contains(op->getResult(0)))
      continue;
    int64_t size = divisor.sum.ofTensors ? optimizer.factors.size()
                                         : optimizer.getNumFactorElements();
    OpBuilder builder(op);
    Value constant =
        createConstantNumber(builder, op->getLoc(), divisor.constant.getType(),
                             divisor.getNumber(divisor.sum.getCount(size)));
    divisor.constant.replaceUsesWithIf(
        constant, [op = op](OpOperand &use) { return op->isAncestor(use.getOwner()); });
  }
}

/// What is stored of a factor's new value.
Value FactorExpansion::restrict(unsigned number, Value updated) {
  const auto &pattern = optimizer.patterns[number];
  if (!pattern)
    return updated;
  IRRewriter rewriter(optimizer.function.getReturn());
  return getOrCreateRestrict(rewriter, parameter.loc, updated, *pattern);
}

LogicalResult FactorExpansion::run(MutableArrayRef<SmallVector<Value>> results) {
  if (failed(check()) || failed(findReductions(optimizer)))
    return failure();
  SmallVector<Value> reduced;
  for (auto &[op, reduction] : optimizer.reductions)
    reduced.push_back(op->getResult(0));
  hoistScalarWork(reduced);
  TensorSets sets(optimizer.function, names, parameter.path, optimizer.dense);
  if (failed(followScalars(optimizer, sets)) || failed(findMeans(optimizer, sets)))
    return failure();
  remarkOnReductions(optimizer);
  if (failed(makeGroups()))
    return failure();
  replaceJoinedMeans();
  for (const ScalarJoin &meeting : optimizer.joins)
    if (failed(join(meeting)))
      return failure();
  for (OpOperand *use : optimizer.outside)
    if (failed(replaceOutside(*use)))
      return failure();
  SmallVector<CarriedValue> carried{parameter.value};
  llvm::append_range(carried, parameter.states);
  for (const CarriedValue &value : carried) {
    if (!value.result)
      continue;
    Value updated = optimizer.function.getReturn()->getOperand(*value.result);
    for (unsigned factor = 0; factor < optimizer.factors.size(); ++factor) {
      auto clone = groups[factor].cloneTensor(factor, updated);
      if (failed(clone))
        return failure();
      results[*value.result].push_back(restrict(factor, *clone));
    }
  }
  return success();
}

LogicalResult sparsam::expandFactors(FactorOptimizer optimizer, const TensorNames &names,
                                     MutableArrayRef<SmallVector<Value>> results) {
  return FactorExpansion(optimizer, names).run(results);
}
