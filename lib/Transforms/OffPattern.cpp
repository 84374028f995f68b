#include "OffPattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparsam;

static bool isZeroAttr(Attribute attr) {
  if (auto real = dyn_cast_or_null<FloatAttr>(attr))
    return real.getValue().isZero();
  if (auto integer = dyn_cast_or_null<IntegerAttr>(attr))
    return integer.getValue().isZero();
  return false;
}

bool OffPattern::isZero() const { return isZeroAttr(constant); }

/// The constant that `op` yields for operands of which some are constants (the
/// others null).
static TypedAttr foldScalar(Operation *op, ArrayRef<Attribute> operands) {
  // The products that the folders leave alone since they are not exact in IEEE
  // arithmetic; see OffPatternAnalysis.
  if (isa<arith::MulFOp>(op) && llvm::any_of(operands, isZeroAttr))
    return Builder(op->getContext()).getZeroAttr(op->getResult(0).getType());
  if (isa<arith::DivFOp>(op) && isZeroAttr(operands[0]))
    return Builder(op->getContext()).getZeroAttr(op->getResult(0).getType());
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    if (auto condition = dyn_cast_or_null<IntegerAttr>(operands[0]))
      return dyn_cast_or_null<TypedAttr>(condition.getValue().isZero() ? operands[2]
                                                                       : operands[1]);
    return operands[1] == operands[2] ? dyn_cast_or_null<TypedAttr>(operands[1])
                                      : TypedAttr();
  }
  // A folder may also return an operand of the op; with unknown operands that is
  // only of use where the operand is known, so all of them have to be.
  if (op->getNumResults() != 1 || llvm::is_contained(operands, Attribute()))
    return {};
  DenseMap<Value, Attribute> known;
  for (auto [operand, attr] : llvm::zip_equal(op->getOperands(), operands))
    known[operand] = attr;
  // A folder may reorder its op's operands, so it gets a copy.
  Operation *copy = op->clone();
  SmallVector<OpFoldResult> results;
  bool isFolded = succeeded(copy->fold(operands, results)) && results.size() == 1;
  copy->destroy();
  if (!isFolded)
    return {};
  if (auto attr = dyn_cast<Attribute>(results[0]))
    return dyn_cast<TypedAttr>(attr);
  return dyn_cast_or_null<TypedAttr>(known.lookup(cast<Value>(results[0])));
}

OffPattern OffPatternAnalysis::evaluateBody(linalg::LinalgOp op,
                                            ArrayRef<OffPattern> arguments,
                                            Value result) {
  Block *body = op.getBlock();
  DenseMap<Value, OffPattern> values;
  for (auto [argument, value] : llvm::zip(body->getArguments(), arguments))
    values[argument] = value;
  auto lookup = [&](Value value) {
    if (auto found = values.find(value); found != values.end())
      return found->second;
    OffPattern outside{{}, /*isUniform=*/true};
    Attribute constant;
    if (matchPattern(value, m_Constant(&constant)))
      outside.constant = dyn_cast<TypedAttr>(constant);
    return outside;
  };
  for (Operation &inner : body->without_terminator()) {
    SmallVector<Attribute> constants;
    bool isUniform = true;
    for (Value operand : inner.getOperands()) {
      OffPattern value = lookup(operand);
      constants.push_back(value.constant);
      isUniform &= value.isUniform;
    }
    TypedAttr constant = foldScalar(&inner, constants);
    for (Value value : inner.getResults())
      values[value] = {constant, isUniform || constant};
  }
  return lookup(result);
}

OffPattern OffPatternAnalysis::evaluate(Value tensor) {
  if (auto found = known.find(tensor); found != known.end())
    return found->second;
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  OffPattern value;
  if (!type) {
    value.isUniform = true;
    Attribute constant;
    if (matchPattern(tensor, m_Constant(&constant)))
      value.constant = dyn_cast<TypedAttr>(constant);
    return known[tensor] = value;
  }
  SplatElementsAttr splat;
  if (matchPattern(tensor, m_Constant(&splat))) {
    value = {dyn_cast<TypedAttr>(splat.getSplatValue<Attribute>()), true};
  } else if (auto densify = tensor.getDefiningOp<DensifyOp>();
             densify && getPattern(densify) == pattern) {
    value = {Builder(type.getContext()).getZeroAttr(type.getElementType()), true};
  } else if (auto elementwise = matchElementwise(tensor.getDefiningOp());
             succeeded(elementwise)) {
    SmallVector<OffPattern> arguments;
    for (const ElementwiseOperand &operand : elementwise->operands) {
      OffPattern argument;
      if (operand.access == ElementAccess::Same)
        argument = evaluate(operand.value);
      else if (operand.access == ElementAccess::Scalar)
        argument = {evaluate(operand.value).constant, true};
      arguments.push_back(argument);
    }
    Block *body = elementwise->op.getBlock();
    value =
        evaluateBody(elementwise->op, arguments, body->getTerminator()->getOperand(0));
  } else {
    value.isUniform = isUniform(tensor) || type.getRank() == 0;
  }
  return known[tensor] = value;
}

std::optional<StoredPattern> sparsam::findPattern(Value value) {
  SmallPtrSet<Operation *, 16> seen;
  SmallVector<Value> worklist{value};
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val().getDefiningOp();
    if (!op || !seen.insert(op).second)
      continue;
    if (auto densify = dyn_cast<DensifyOp>(op)) {
      if (auto pattern = getPattern(densify))
        return pattern;
      continue;
    }
    auto elementwise = matchElementwise(op);
    if (failed(elementwise))
      continue;
    for (const ElementwiseOperand &operand : elementwise->operands)
      if (operand.access == ElementAccess::Same)
        worklist.push_back(operand.value);
  }
  return std::nullopt;
}
