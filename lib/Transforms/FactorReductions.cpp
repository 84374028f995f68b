// What a factor parameter's optimizer reduces over its tensors.
#include "FactorOptimizer.h"
#include "sparsam/Analysis/ElementwiseSlice.h"
#include "sparsam/Transforms/Boundary.h"

using namespace mlir;
using namespace mlir::sparsam;

bool FactorOptimizer::isOwnResult(unsigned number) const {
  return parameter.value.result == number ||
         llvm::any_of(parameter.states,
                      [&](const CarriedValue &state) { return state.result == number; });
}

bool FactorOptimizer::isCarriedResult(unsigned number) const {
  func::FuncOp func = function.func;
  for (unsigned argument = 0; argument < func.getNumArguments(); ++argument) {
    auto updates = func.getArgAttrOfType<IntegerAttr>(argument, boundary::updates);
    if (updates && updates.getInt() == number)
      return true;
  }
  return false;
}

int64_t FactorOptimizer::getNumFactorElements() const {
  int64_t count = 0;
  for (unsigned factor = 0; factor < factors.size(); ++factor)
    count += getNumElements(factor);
  return count;
}

Operation *FactorOptimizer::getInBody(Operation *op) const {
  while (op->getBlock() != &function.getBody())
    op = op->getParentOp();
  return op;
}

LogicalResult FactorOptimizer::refuse(Operation *op) const {
  InFlightDiagnostic diagnostic =
      op->emitOpError()
      << "is not elementwise in the optimizer of " << parameter.path << ", so "
      << parameter.structure
      << " has no update for its factors; choose a pattern structure or dense, or an "
         "elementwise optimizer";
  diagnostic.attachNote(parameter.loc) << "the parameter is here";
  return diagnostic;
}

namespace {

/// What a scalar has an influence on.
struct Reach {
  llvm::SmallSetVector<unsigned, 4> results;
  bool gradient = false;
};

class ReductionSearch {
public:
  explicit ReductionSearch(FactorOptimizer &optimizer)
      : optimizer(optimizer), parameter(optimizer.parameter) {}

  LogicalResult run();

private:
  LogicalResult searchFrom(ValueRange leaves, bool isParameter);
  LogicalResult add(const FullReduction &reduction, bool ofParameterAlone);
  Reach getReach(Value value, bool isAnyEnough) const;
  FailureOr<bool> isOptimizerWork(Operation *op, const Reach &reach);
  bool isOfMarkedGradient(const FullReduction &reduction);

  FactorOptimizer &optimizer;
  const StructuredParameter &parameter;
  Dependence dependence;
  DenseSet<Operation *> gradients;
};

} // namespace

/// Not beyond gradients: what is behind them is as far from a scalar of the loss as the
/// loss is. Nor beyond the first result where any is enough: a global norm reaches all.
Reach ReductionSearch::getReach(Value value, bool isAnyEnough) const {
  Reach reach;
  DenseSet<Operation *> seen;
  SmallVector<Value> worklist{value};
  while (!worklist.empty() && !(isAnyEnough && !reach.results.empty())) {
    for (OpOperand &use : worklist.pop_back_val().getUses()) {
      Operation *user = optimizer.getInBody(use.getOwner());
      if (user == optimizer.function.getReturn())
        reach.results.insert(use.getOperandNumber());
      else if (isa<GradientOp>(user))
        reach.gradient = true;
      else if (seen.insert(user).second)
        llvm::append_range(worklist, user->getResults());
    }
  }
  return reach;
}

/// The loss, the backward pass, and what the step tells its caller of the parameter
/// belong to the forward part, where the parameter is its einsum. The optimizer's results
/// take a gradient in.
FailureOr<bool> ReductionSearch::isOptimizerWork(Operation *op, const Reach &reach) {
  bool optimizes = false;
  std::string forward = reach.gradient ? "the loss" : "";
  for (unsigned number : reach.results) {
    Value result = optimizer.function.getReturn()->getOperand(number);
    Operation *producer = result.getDefiningOp();
    if (producer && llvm::any_of(dependence.of(producer),
                                 [&](Operation *on) { return gradients.contains(on); }))
      optimizes = true;
    else
      forward = "result " + std::to_string(number);
  }
  if (!optimizes || forward.empty())
    return optimizes;
  InFlightDiagnostic diagnostic =
      op->emitOpError() << "reduces over " << parameter.path
                        << " for the optimizer, which " << parameter.structure
                        << " does over its factors, and for " << forward
                        << ", where it is over their product; expected one of the two";
  diagnostic.attachNote(parameter.loc) << "the parameter is here";
  return diagnostic;
}

/// Whether the graph is the same for a norm of this gradient and for a global one: no
/// other parameter has a gradient, and nothing but this gradient is reduced.
bool ReductionSearch::isOfMarkedGradient(const FullReduction &reduction) {
  GradientOp gradient = parameter.gradient;
  if (!gradient || !gradient.getMarked() || gradients.size() != 1)
    return false;
  linalg::LinalgOp op = reduction.op;
  return llvm::all_of(op.getDpsInputs(), [&](Value input) {
    auto slice = ElementwiseSlice::of(input);
    return slice.arguments.empty() && slice.sources.empty() &&
           slice.reaches(gradient.getResult()) &&
           llvm::none_of(slice.broadcasts, [&](Value scalar) {
             return dependence.dependsOn(scalar, gradient);
           });
  });
}

LogicalResult ReductionSearch::add(const FullReduction &reduction,
                                   bool ofParameterAlone) {
  Operation *op = reduction.op;
  if (optimizer.reductions.contains(op))
    return success();
  Reach reach = getReach(op->getResult(0), /*isAnyEnough=*/!ofParameterAlone);
  if (reach.results.empty())
    return success();
  if (ofParameterAlone) {
    auto optimizes = isOptimizerWork(op, reach);
    if (failed(optimizes))
      return failure();
    if (!*optimizes)
      return success();
  }
  optimizer.reductions.insert({op, reduction});
  if (isOfMarkedGradient(reduction))
    optimizer.global.insert(op);
  return success();
}

/// Walks from the gradient and the state, or from the parameter, through elementwise
/// work to the reductions over it.
LogicalResult ReductionSearch::searchFrom(ValueRange leaves, bool isParameter) {
  DenseSet<Operation *> seen;
  SmallVector<Value> worklist(leaves);
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    optimizer.tensors.insert(value);
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      if (user == optimizer.function.getReturn()) {
        if (!isParameter && !optimizer.isOwnResult(use.getOperandNumber()))
          return user->emitOpError()
                 << "returns a tensor of the optimizer of " << parameter.path
                 << " as result " << use.getOperandNumber() << ", which "
                 << parameter.structure << " does not have";
        continue;
      }
      if (!seen.insert(user).second)
        continue;
      if (auto elementwise = matchElementwise(user);
          succeeded(elementwise) && optimizer.isOfParameterShape(user->getResult(0)) &&
          !llvm::any_of(elementwise->operands, [](const ElementwiseOperand &operand) {
            return operand.access == ElementAccess::Permuted;
          })) {
        worklist.push_back(user->getResult(0));
        continue;
      }
      auto reduction = matchFullReduction(user);
      if (succeeded(reduction)) {
        if (failed(add(*reduction, isParameter)))
          return failure();
        continue;
      }
      // What trains nothing needs no update.
      if (!isParameter && !optimizer.factors.empty())
        return optimizer.refuse(user);
    }
  }
  return success();
}

LogicalResult ReductionSearch::run() {
  for (auto gradient : optimizer.function.getBody().getOps<GradientOp>())
    gradients.insert(gradient);
  SmallVector<Value> leaves;
  if (GradientOp gradient = parameter.gradient)
    leaves.push_back(gradient.getResult());
  for (const ExpandedArgument &state : optimizer.states)
    leaves.push_back(state.argument);
  if (failed(searchFrom(leaves, /*isParameter=*/false)))
    return failure();
  return searchFrom(optimizer.dense, /*isParameter=*/true);
}

LogicalResult sparsam::findReductions(FactorOptimizer &optimizer) {
  return ReductionSearch(optimizer).run();
}
