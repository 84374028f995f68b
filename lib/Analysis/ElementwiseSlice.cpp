#include "sparsam/Analysis/ElementwiseSlice.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "sparsam/Analysis/Product.h"
#include "sparsam/IR/SparsamOps.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// The number of entries of a static tensor, or -1.
int64_t entries(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() ? type.getNumElements() : -1;
}

/// Whether a map reads each entry of its operand at one place of the loops.
bool isRearrangement(AffineMap map) {
  return llvm::all_of(map.getResults(), [](AffineExpr expr) {
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    return isa<AffineDimExpr>(expr) || (constant && constant.getValue() == 0);
  });
}

/// Linalg on tensors with parallel loops only and a body of scalar work.
bool isScalarWork(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumParallelLoops() != op.getNumLoops() ||
      op.getNumDpsInits() != 1)
    return false;
  for (Operation &inner : *op.getBlock())
    for (Value operand : inner.getOperands())
      if (isa<ShapedType>(operand.getType()))
        return false;
  return isRearrangement(op.getIndexingMapsArray().back());
}

/// The operands whose entries the work uses.
SmallVector<OpOperand *> usedOperands(linalg::LinalgOp op) {
  return llvm::filter_to_vector(
      llvm::make_pointer_range(op->getOpOperands()),
      [&](OpOperand *operand) { return op.payloadUsesValueFromOperand(operand); });
}

/// Follows the operands of elementwise work; false if `value` is not elementwise work.
bool follow(Value value, llvm::function_ref<void(Value)> same,
            llvm::function_ref<void(Value)> broadcast) {
  Operation *op = value.getDefiningOp();
  if (isOuterProduct(op))
    return false;
  int64_t size = entries(value);
  if (Value rearranged = getRearranged(value)) {
    same(rearranged);
    return true;
  }
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    if (!isScalarWork(linalgOp))
      return false;
    auto operands = usedOperands(linalgOp);
    for (OpOperand *operand : operands)
      if (entries(operand->get()) == size &&
          !isRearrangement(linalgOp.getMatchingIndexingMap(operand)))
        return false;
    for (OpOperand *operand : operands)
      (entries(operand->get()) == size ? same : broadcast)(operand->get());
    forEachUsedValue(op, [&](Value used) {
      if (!llvm::is_contained(op->getOperands(), used))
        broadcast(used);
    });
    return true;
  }
  if (OpTrait::hasElementwiseMappableTraits(op)) {
    for (Value operand : op->getOperands())
      (entries(operand) == size ? same : broadcast)(operand);
    return true;
  }
  return isa<arith::ConstantOp, tensor::EmptyOp>(op);
}

/// The only operand used by a linalg body that yields it, at most converted.
Value getCopied(linalg::LinalgOp op) {
  if (!isScalarWork(op))
    return {};
  auto operands = usedOperands(op);
  if (operands.size() != 1 || entries(operands[0]->get()) != entries(op->getResult(0)) ||
      !isRearrangement(op.getMatchingIndexingMap(operands[0])))
    return {};
  Value yielded = op.getBlock()->getTerminator()->getOperand(0);
  while (isa_and_nonnull<arith::ExtFOp, arith::TruncFOp>(yielded.getDefiningOp()))
    yielded = yielded.getDefiningOp()->getOperand(0);
  return yielded == op.getMatchingBlockArgument(operands[0]) ? operands[0]->get()
                                                             : Value();
}

/// The tensor behind an argument of a linalg body.
Value tensorOf(linalg::LinalgOp op, Value scalar) {
  auto argument = dyn_cast<BlockArgument>(scalar);
  return argument && argument.getOwner() == op.getBlock()
             ? op->getOperand(argument.getArgNumber())
             : Value();
}

/// The operation whose result the only yield of an elementwise linalg op gives.
Operation *getYielded(Value value, linalg::LinalgOp &op) {
  op = value.getDefiningOp<linalg::LinalgOp>();
  if (!op || !isScalarWork(op))
    return nullptr;
  return op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
}

} // namespace

void mlir::sparsam::forEachUsedValue(Operation *op, llvm::function_ref<void(Value)> fn) {
  for (Value operand : op->getOperands())
    fn(operand);
  for (Region &region : op->getRegions())
    region.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (!op->isAncestor(operand.getParentBlock()->getParentOp()))
          fn(operand);
    });
}

Value mlir::sparsam::getRearranged(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ReshapeOp,
          tensor::CastOp, arith::ExtFOp, arith::TruncFOp>(op))
    return op->getOperand(0);
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return getCopied(linalgOp);
  return {};
}

std::optional<std::pair<Value, Value>> mlir::sparsam::getSum(Value value) {
  if (auto add = value.getDefiningOp<arith::AddFOp>())
    return std::pair{add.getLhs(), add.getRhs()};
  linalg::LinalgOp op;
  auto add = dyn_cast_or_null<arith::AddFOp>(getYielded(value, op));
  if (!add)
    return std::nullopt;
  Value lhs = tensorOf(op, add.getLhs()), rhs = tensorOf(op, add.getRhs());
  // A sum of differently laid out operands is not followed: it cannot be written as
  // the sum of two values of its own layout.
  auto maps = op.getIndexingMapsArray();
  if (!lhs || !rhs || !llvm::all_equal(maps) || lhs.getType() != rhs.getType() ||
      lhs.getType() != value.getType())
    return std::nullopt;
  return std::pair{lhs, rhs};
}

Value mlir::sparsam::getRepeatedScalar(Value value) {
  while (entries(value) != 1) {
    Operation *op = value.getDefiningOp();
    if (!op || !(isView(op) || succeeded(matchCopy(op, /*broadcasts=*/true))))
      return {};
    value = op->getOperand(0);
  }
  return value;
}

Value mlir::sparsam::getScaled(Value value, Value &scale) {
  linalg::LinalgOp op;
  Operation *yielded = getYielded(value, op);
  if (!isa_and_nonnull<arith::MulFOp, arith::DivFOp>(yielded))
    return {};
  auto take = [&](Value scalar, Value by) -> Value {
    Value tensor = tensorOf(op, scalar), factor = tensorOf(op, by);
    if (!tensor || entries(tensor) != entries(value))
      return {};
    scale = factor ? getRepeatedScalar(factor) : Value();
    return scale || (!factor && matchPattern(by, m_Constant())) ? tensor : Value();
  };
  if (Value scaled = take(yielded->getOperand(0), yielded->getOperand(1)))
    return scaled;
  return isa<arith::MulFOp>(yielded)
             ? take(yielded->getOperand(1), yielded->getOperand(0))
             : Value();
}

ElementwiseSlice ElementwiseSlice::of(Value root, const llvm::DenseSet<Value> &stops) {
  ElementwiseSlice slice;
  slice.values.insert(root);
  for (size_t i = 0; i < slice.values.size(); ++i) {
    Value value = slice.values[i];
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      slice.arguments.insert(argument);
    } else if (stops.contains(value)) {
      slice.sources.insert(value);
    } else if (value.getDefiningOp<GradientOp>()) {
      slice.gradients.insert(value);
    } else {
      SmallVector<Value, 2> operands, broadcasts;
      bool elementwise = follow(
          value, [&](Value operand) { operands.push_back(operand); },
          [&](Value operand) { broadcasts.push_back(operand); });
      if (!elementwise) {
        slice.sources.insert(value);
        continue;
      }
      slice.values.insert_range(operands);
      slice.broadcasts.insert_range(broadcasts);
      slice.operands[value] = std::move(operands);
    }
  }
  return slice;
}

const llvm::DenseSet<Operation *> &Dependence::of(Operation *op) {
  auto [it, inserted] = slices.try_emplace(op);
  if (!inserted)
    return it->second;
  llvm::SetVector<Operation *> found;
  found.insert(op);
  for (size_t i = 0; i < found.size(); ++i)
    forEachUsedValue(found[i], [&](Value used) {
      if (Operation *defining = used.getDefiningOp())
        found.insert(defining);
    });
  return slices[op] = llvm::DenseSet<Operation *>(found.begin(), found.end());
}

bool Dependence::dependsOn(Value value, Operation *op) {
  Operation *defining = value.getDefiningOp();
  return defining && defining != op && of(defining).contains(op);
}

bool Dependence::dependsOnValue(Value value, Value source) {
  Operation *defining = source.getDefiningOp();
  if (!defining || value == source || !dependsOn(value, defining))
    return false;
  if (defining->getNumResults() == 1)
    return true;
  // Back through single values; from a loop's result to what it carries for it.
  llvm::SetVector<Value> found;
  found.insert(value);
  auto insertCarried = [&](scf::ForOp loop, unsigned number) {
    found.insert(loop.getInitArgs()[number]);
    found.insert(loop.getYieldedValues()[number]);
    for (Value bound : {loop.getLowerBound(), loop.getUpperBound(), loop.getStep()})
      found.insert(bound);
  };
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i] == source)
      return true;
    Operation *op = found[i].getDefiningOp();
    if (auto loop = dyn_cast_or_null<scf::ForOp>(op)) {
      insertCarried(loop, cast<OpResult>(found[i]).getResultNumber());
    } else if (op) {
      forEachUsedValue(op, [&](Value used) { found.insert(used); });
    } else {
      auto argument = cast<BlockArgument>(found[i]);
      auto around = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
      if (around && argument.getArgNumber() > 0)
        insertCarried(around, argument.getArgNumber() - 1);
    }
  }
  return false;
}

llvm::DenseSet<Value> Dependence::arguments(Value value) {
  llvm::DenseSet<Value> arguments;
  if (isa<BlockArgument>(value))
    arguments.insert(value);
  else
    for (Operation *op : of(value.getDefiningOp()))
      forEachUsedValue(op, [&](Value used) {
        if (isa<BlockArgument>(used))
          arguments.insert(used);
      });
  return arguments;
}
