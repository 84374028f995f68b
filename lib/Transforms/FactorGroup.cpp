#include "FactorGroup.h"
#include "ScalarWork.h"
#include "mlir/Transforms/RegionUtils.h"
#include "sparsam/Transforms/Boundary.h"

using namespace mlir;
using namespace mlir::sparsam;

int64_t FactorGroup::getNumElements() const {
  int64_t count = 0;
  for (unsigned factor : numbers)
    count += optimizer.getNumElements(factor);
  return count;
}

LogicalResult FactorGroup::mapScalar(Value scalar, IRMapping &mapping) {
  auto mapped = cloneScalar(scalar);
  if (failed(mapped))
    return failure();
  if (*mapped != scalar)
    mapping.map(scalar, *mapped);
  return success();
}

FailureOr<IRMapping> FactorGroup::mapOutside(Operation *op) {
  IRMapping mapping;
  SetVector<Value> outside;
  getUsedValuesDefinedAbove(op->getRegions(), outside);
  for (Value value : outside)
    if (failed(mapScalar(value, mapping)))
      return failure();
  return mapping;
}

FailureOr<Value> FactorGroup::cloneScalar(Value scalar) {
  if (!optimizer.own.contains(scalar))
    return scalar;
  if (Value done = scalars.lookup(scalar))
    return done;
  Operation *op = scalar.getDefiningOp();
  if (auto found = optimizer.reductions.find(op); found != optimizer.reductions.end()) {
    auto init = cloneScalar(found->second.op.getDpsInits()[0]);
    if (failed(init))
      return failure();
    auto result = cloneReduction(found->second, *init);
    if (succeeded(result))
      scalars[scalar] = *result;
    return result;
  }
  auto mapping = mapOutside(op);
  if (failed(mapping))
    return failure();
  for (Value operand : op->getOperands())
    if (failed(mapScalar(operand, *mapping)))
      return failure();
  OpBuilder builder(op);
  if (auto mean = optimizer.divisors.find(op); mean != optimizer.divisors.end()) {
    const MeanDivisor &divisor = mean->second;
    mapping->map(
        divisor.constant,
        createConstantNumber(builder, op->getLoc(), divisor.constant.getType(),
                             divisor.getNumber(divisor.sum.getCount(getNumElements()))));
  }
  Operation *clone = builder.clone(*op, *mapping);
  for (auto [from, to] : llvm::zip_equal(op->getResults(), clone->getResults()))
    scalars[from] = to;
  return scalars[scalar];
}

FailureOr<Value> FactorGroup::cloneReduction(const FullReduction &reduction, Value init) {
  linalg::LinalgOp op = reduction.op;
  auto outside = mapOutside(op);
  if (failed(outside))
    return failure();
  for (unsigned factor : numbers) {
    SmallVector<Value> inputs;
    for (Value input : op.getDpsInputs()) {
      auto mapped = cloneTensor(factor, input);
      if (failed(mapped))
        return failure();
      inputs.push_back(*mapped);
    }
    OpBuilder builder(op);
    init = sparsam::cloneReduction(builder, reduction, inputs, init, getShape(factor),
                                   *outside);
  }
  return init;
}

FailureOr<Value> FactorGroup::cloneElementwise(unsigned factor, const ElementwiseOp &op) {
  linalg::LinalgOp linalgOp = op.op;
  SmallVector<Value> operands;
  for (const ElementwiseOperand &operand : op.operands) {
    if (operand.access == ElementAccess::Permuted)
      return optimizer.refuse(linalgOp);
    auto mapped = operand.access == ElementAccess::Scalar
                      ? cloneScalar(operand.value)
                      : cloneTensor(factor, operand.value);
    if (failed(mapped))
      return failure();
    operands.push_back(*mapped);
  }
  auto outside = mapOutside(linalgOp);
  if (failed(outside))
    return failure();
  OpBuilder builder(linalgOp);
  return sparsam::cloneElementwise(builder, op, operands, getShape(factor), *outside);
}

FailureOr<Value> FactorGroup::cloneTensor(unsigned factor, Value value) {
  if (Value done = tensors[factor].lookup(value))
    return done;
  const StructuredParameter &parameter = optimizer.parameter;
  Operation *op = value.getDefiningOp();
  if (!op)
    return emitError(value.getLoc())
           << "the argument, of the shape of " << parameter.path
           << ", takes part in its optimizer but is not known as its state: "
           << parameter.structure << " needs " << boundary::stateOf << " on it";
  auto elementwise = matchElementwise(op);
  FailureOr<Value> clone = failure();
  if (succeeded(elementwise) && optimizer.isOfParameterShape(value)) {
    clone = cloneElementwise(factor, *elementwise);
  } else {
    OpBuilder builder(op);
    if (Value uniform = remakeUniform(builder, value, getShape(factor)))
      clone = uniform;
    else
      return optimizer.refuse(op);
  }
  if (succeeded(clone))
    tensors[factor][value] = *clone;
  return clone;
}
