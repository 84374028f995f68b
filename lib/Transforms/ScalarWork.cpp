#include "ScalarWork.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Analysis/Elementwise.h"

using namespace mlir;
using namespace mlir::sparsam;

bool sparsam::isOneElement(Value value) {
  auto type = dyn_cast<ShapedType>(value.getType());
  return !type || (type.hasStaticShape() && type.getNumElements() == 1);
}

Value sparsam::getOutside(linalg::LinalgOp op, Value inside) {
  auto argument = dyn_cast<BlockArgument>(inside);
  return argument && argument.getOwner() == op.getBlock()
             ? op->getOperand(argument.getArgNumber())
             : inside;
}

std::optional<ScalarWork> sparsam::matchScalarWork(Operation *op) {
  if (!op || op->getNumResults() != 1 || !isOneElement(op->getResult(0)))
    return std::nullopt;
  if (isa<tensor::ExtractOp, tensor::FromElementsOp, tensor::CollapseShapeOp,
          tensor::ExpandShapeOp, tensor::ReshapeOp, tensor::CastOp>(op))
    return isOneElement(op->getOperand(0))
               ? std::optional(ScalarWork{nullptr, {op->getOperand(0)}})
               : std::nullopt;
  if (succeeded(matchElementwise(op))) {
    auto linalgOp = cast<linalg::LinalgOp>(op);
    Operation *yield = linalgOp.getBlock()->getTerminator();
    Operation *computes = yield->getOperand(0).getDefiningOp();
    if (!computes || computes->getBlock() != linalgOp.getBlock())
      return ScalarWork{nullptr, {getOutside(linalgOp, yield->getOperand(0))}};
    if (!llvm::hasSingleElement(linalgOp.getBlock()->without_terminator()))
      return std::nullopt;
    ScalarWork work{computes, {}};
    for (Value operand : computes->getOperands())
      work.operands.push_back(getOutside(linalgOp, operand));
    return work;
  }
  if (isa<arith::ArithDialect, math::MathDialect>(op->getDialect()) &&
      !isa<arith::ConstantOp>(op))
    return ScalarWork{op, llvm::to_vector(op->getOperands())};
  return std::nullopt;
}

/// The attribute of one element of `value`, where it is a constant or computed from
/// constants alone: importers leave what they do not fold.
static Attribute getConstant(Value value) {
  Attribute attr;
  if (matchPattern(value, m_Constant(&attr))) {
    auto splat = dyn_cast<SplatElementsAttr>(attr);
    return splat ? splat.getSplatValue<Attribute>() : attr;
  }
  auto work = matchScalarWork(value.getDefiningOp());
  if (!work)
    return {};
  SmallVector<Attribute> operands;
  for (Value operand : work->operands) {
    operands.push_back(getConstant(operand));
    if (!operands.back())
      return {};
  }
  if (!work->computes)
    return operands[0];
  SmallVector<OpFoldResult> results;
  if (failed(work->computes->fold(operands, results)) || results.size() != 1)
    return {};
  if (auto attr = dyn_cast<Attribute>(results[0]))
    return attr;
  for (auto [operand, attr] : llvm::zip_equal(work->computes->getOperands(), operands))
    if (operand == cast<Value>(results[0]))
      return attr;
  return {};
}

std::optional<double> sparsam::getConstantNumber(Value value) {
  auto number = dyn_cast_or_null<FloatAttr>(getConstant(value));
  return number ? std::optional(number.getValueAsDouble()) : std::nullopt;
}

Value sparsam::createConstantNumber(OpBuilder &builder, Location loc, Type type,
                                    double number) {
  FloatAttr scalar = builder.getFloatAttr(getElementTypeOrSelf(type), number);
  auto tensor = dyn_cast<RankedTensorType>(type);
  return arith::ConstantOp::create(
      builder, loc,
      tensor ? TypedAttr(DenseElementsAttr::get(tensor, scalar)) : TypedAttr(scalar));
}

//===----------------------------------------------------------------------===//
// Scalar work in the bodies of elementwise ops
//===----------------------------------------------------------------------===//

/// `value`, used in the body of `op`, as a plain scalar in front of it; null where it
/// is not one.
static Value getScalarInFront(OpBuilder &builder, linalg::LinalgOp op, Value value) {
  Value outside = getOutside(op, value);
  if (outside == value)
    return value.getParentBlock() == op.getBlock() ? Value() : value;
  auto type = dyn_cast<RankedTensorType>(outside.getType());
  if (!type)
    return outside;
  if (!isOneElement(outside))
    return {};
  SmallVector<Value> zeros;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    zeros.push_back(arith::ConstantIndexOp::create(builder, op.getLoc(), 0));
  return tensor::ExtractOp::create(builder, op.getLoc(), outside, zeros);
}

static void hoistScalarWorkOf(linalg::LinalgOp op) {
  Block *body = op.getBlock();
  Operation *yielded = body->getTerminator()->getOperand(0).getDefiningOp();
  OpBuilder builder(op);
  for (Operation &inner : llvm::make_early_inc_range(body->without_terminator())) {
    // What an op of one element computes last stays with it.
    if (&inner == yielded && isOneElement(op->getResult(0)))
      continue;
    auto isScalar = [&](Value operand) {
      Value outside = getOutside(op, operand);
      return outside == operand ? operand.getParentBlock() != body
                                : isOneElement(outside);
    };
    if (!llvm::all_of(inner.getOperands(), isScalar))
      continue;
    SmallVector<Value> operands;
    for (Value operand : inner.getOperands())
      operands.push_back(getScalarInFront(builder, op, operand));
    inner.moveBefore(op);
    inner.setOperands(operands);
  }
}

void sparsam::hoistScalarWork(ArrayRef<Value> scalars) {
  SmallVector<Value> worklist(scalars);
  DenseSet<Value> seen;
  while (!worklist.empty()) {
    Value scalar = worklist.pop_back_val();
    if (!seen.insert(scalar).second)
      continue;
    for (Operation *user : llvm::to_vector(scalar.getUsers())) {
      if (auto body = dyn_cast<linalg::LinalgOp>(user->getParentOp()))
        user = body;
      if (succeeded(matchElementwise(user)))
        hoistScalarWorkOf(cast<linalg::LinalgOp>(user));
    }
    for (Operation *user : scalar.getUsers()) {
      if (auto body = dyn_cast<linalg::LinalgOp>(user->getParentOp()))
        user = body;
      for (Value result : user->getResults())
        if (isOneElement(result))
          worklist.push_back(result);
    }
  }
}
