#include "Definitions.h"
#include "sparsam/Analysis/Views.h"
#include "sparsam/IR/SparsamOps.h"

using namespace mlir;
using namespace mlir::sparsam;

bool sparsam::reachesDefinition(Value value,
                                function_ref<bool(Operation *)> isDefinition) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (isa<EinsumOp>(op))
    return isDefinition(op);
  if (auto change = matchLayoutChange(op); succeeded(change))
    return reachesDefinition(change->source, isDefinition);
  auto elementwise = matchElementwise(op);
  return succeeded(elementwise) &&
         llvm::any_of(elementwise->operands, [&](const ElementwiseOperand &operand) {
           return operand.access == ElementAccess::Same &&
                  reachesDefinition(operand.value, isDefinition);
         });
}

FailureOr<Value> sparsam::cloneOnParts(RewriterBase &rewriter,
                                       const ElementwiseOp &elementwise,
                                       ArrayRef<int64_t> shape,
                                       function_ref<FailureOr<Value>(Value)> take) {
  SmallVector<Value> operands;
  for (const ElementwiseOperand &operand : elementwise.operands) {
    if (operand.access == ElementAccess::Permuted)
      return failure();
    auto part = operand.access == ElementAccess::Same ? take(operand.value)
                                                      : FailureOr<Value>(operand.value);
    if (failed(part))
      return failure();
    operands.push_back(*part);
  }
  return cloneElementwise(rewriter, elementwise, operands, shape);
}
