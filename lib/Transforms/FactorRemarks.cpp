#include "FactorOptimizer.h"

using namespace mlir;
using namespace mlir::sparsam;

/// Whether the walk over own scalars behind `own` meets a use that `by` holds for.
static bool isUsed(const FactorOptimizer &optimizer, Value own,
                   llvm::function_ref<bool(OpOperand &)> by) {
  SmallVector<Value> worklist{own};
  DenseSet<Value> seen;
  while (!worklist.empty())
    for (OpOperand &use : worklist.pop_back_val().getUses()) {
      if (by(use))
        return true;
      for (Value result : optimizer.getInBody(use.getOwner())->getResults())
        if (optimizer.own.contains(result) && seen.insert(result).second)
          worklist.push_back(result);
    }
  return false;
}

static void remarkOnMeans(const FactorOptimizer &optimizer) {
  const StructuredParameter &parameter = optimizer.parameter;
  for (auto &[op, divisor] : optimizer.divisors) {
    const ScalarSum &sum = divisor.sum;
    bool ofTensors = sum.ofTensors;
    int64_t before = sum.getCount(ofTensors ? 1 : parameter.type.getNumElements());
    InFlightDiagnostic remark = op->emitRemark()
                                << "takes the mean over " << before
                                << (divisor.lacking ? " (less one)" : "")
                                << (ofTensors ? " tensors, of which " : " elements of ")
                                << parameter.path;
    if (ofTensors)
      remark << " is one";
    else if (sum.others)
      remark << " and other parameters";
    if (optimizer.own.contains(op->getResult(0))) {
      remark << ": " << parameter.structure << " takes it over those of each factor";
      continue;
    }
    int64_t size = ofTensors ? static_cast<int64_t>(optimizer.factors.size())
                             : optimizer.getNumFactorElements();
    remark << ": with the factors of " << parameter.structure << " these are "
           << sum.getCount(size);
  }
}

void sparsam::remarkOnReductions(const FactorOptimizer &optimizer) {
  const StructuredParameter &parameter = optimizer.parameter;
  for (auto &[op, reduction] : optimizer.reductions) {
    auto remark = [&, op = op] {
      return op->emitRemark() << "reduces over " << parameter.path
                              << " alone and counts as ";
    };
    Value result = op->getResult(0);
    if (optimizer.global.contains(op)) {
      remark() << "global, as the gradient is marked and no other parameter has one: "
               << parameter.structure << " does it over all of its factors together";
      continue;
    }
    if (isUsed(optimizer, result, [&](OpOperand &use) {
          return llvm::any_of(
              optimizer.getInBody(use.getOwner())->getResults(),
              [&](Value made) { return optimizer.tensors.contains(made); });
        }))
      remark() << "one for each tensor: " << parameter.structure
               << " does it for each of its factors";
    if (isUsed(optimizer, result, [&](OpOperand &use) {
          return llvm::is_contained(optimizer.outside, &use);
        }))
      remark() << "global where it is used outside of its optimizer: "
               << parameter.structure << " does it over all of its factors together";
  }
  remarkOnMeans(optimizer);
}
