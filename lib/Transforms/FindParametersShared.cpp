// Two parameters with one gradient, as the biases of two branches that are added.
#include "FindParameters.h"
#include "mlir/IR/IRMapping.h"
#include "sparsam/Analysis/ElementwiseSlice.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// What the new values of a parameter and of its state are made of, from a gradient on.
struct Optimizer {
  SmallVector<unsigned> results;
  llvm::SetVector<Value> work;
};

} // namespace

static void collect(const ElementwiseSlice &slice, Value gradient,
                    llvm::SetVector<Value> &work) {
  DenseMap<Value, bool> known{{gradient, true}};
  auto isMadeOf = [&](auto &self, Value value) -> bool {
    if (auto found = known.find(value); found != known.end())
      return found->second;
    bool is = false;
    for (Value operand : slice.operands.lookup(value))
      is |= self(self, operand);
    return known[value] = is;
  };
  for (Value value : slice.values)
    if (value != gradient && isMadeOf(isMadeOf, value))
      work.insert(value);
}

static Optimizer getOptimizer(StepBoundary &step,
                              const StepBoundary::Parameter &parameter, Value gradient) {
  Optimizer optimizer;
  optimizer.results.push_back(*parameter.result);
  auto own = ElementwiseSlice::of(step.newValue(*parameter.result));
  for (auto [argument, result] : step.carried)
    if (own.arguments.contains(cast<BlockArgument>(step.argument(argument))))
      optimizer.results.push_back(result);
  for (unsigned result : optimizer.results)
    collect(ElementwiseSlice::of(step.newValue(result)), gradient, optimizer.work);
  return optimizer;
}

void sparsam::separateReaders(StepBoundary &step, GradientOp gradient, GradientOp other) {
  auto find = [&](GradientOp op) {
    return llvm::find_if(step.parameters, [&](const StepBoundary::Parameter &parameter) {
      return parameter.path == op.getParam() && parameter.result;
    });
  };
  auto *mine = find(gradient), *others = find(other);
  if (mine == step.parameters.end() || others == step.parameters.end())
    return;
  Optimizer optimizer = getOptimizer(step, *mine, other.getResult());
  Optimizer theirs = getOptimizer(step, *others, other.getResult());

  // Importers merge what is equal: the clipped gradient of one is that of the other.
  SmallVector<Operation *> shared;
  for (Value value : optimizer.work)
    if (theirs.work.contains(value))
      shared.push_back(value.getDefiningOp());
  llvm::sort(shared, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  IRMapping mapping;
  mapping.map(other.getResult(), gradient.getResult());
  for (Operation *op : shared) {
    OpBuilder builder(op->getContext());
    builder.setInsertionPointAfter(op);
    builder.clone(*op, mapping);
  }
  auto isMine = [&](OpOperand &use) {
    Operation *user = step.function.getBody().findAncestorOpInRegion(*use.getOwner());
    if (user == step.terminator)
      return llvm::is_contained(optimizer.results, use.getOperandNumber());
    return llvm::any_of(user->getResults(), [&](Value result) {
      return optimizer.work.contains(result) && !theirs.work.contains(result);
    });
  };
  for (auto [from, to] : mapping.getValueMap())
    from.replaceUsesWithIf(to, isMine);
}
