#include "SliceConstants.h"
#include "SliceMoves.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

SliceConstants::SliceConstants(func::FuncOp function, const SlicePlan &plan)
    : plan(plan) {
  visit(function.front());
}

TypedAttr SliceConstants::get(Value value, const SliceRegion &region) const {
  auto found = known.find({value.getAsOpaquePointer(), region});
  return found == known.end() ? TypedAttr() : found->second;
}

void SliceConstants::set(Value value, const SliceRegion &region, TypedAttr constant) {
  known[{value.getAsOpaquePointer(), region}] = constant;
}

TypedAttr SliceConstants::evaluateUniform(Value value) const {
  SplatElementsAttr splat;
  if (matchPattern(value, m_Constant(&splat)))
    return dyn_cast<TypedAttr>(splat.getSplatValue<Attribute>());
  auto scalarOf = [](Value scalar) {
    Attribute constant;
    matchPattern(scalar, m_Constant(&constant));
    return dyn_cast_or_null<TypedAttr>(constant);
  };
  if (auto made = value.getDefiningOp<tensor::SplatOp>())
    return scalarOf(made.getInput());
  auto op = value.getDefiningOp<linalg::LinalgOp>();
  if (!op)
    return {};
  SmallVector<OffPattern> arguments;
  for (Value operand : op->getOperands())
    arguments.push_back(
        {isa<TensorType>(operand.getType()) ? TypedAttr() : scalarOf(operand), true});
  return OffPatternAnalysis::evaluateBody(op, arguments,
                                          op.getBlock()->getTerminator()->getOperand(0))
      .constant;
}

TypedAttr SliceConstants::get(OpOperand &use, const SliceRegion &region) const {
  if (plan.analysis.isUniform(use.get()))
    return evaluateUniform(use.get());
  return get(use.get(), plan.getOwnRegion(use.get(), region));
}

/// The region of dimensions that `map` gives of loops.
static SliceRegion getMappedRegion(const SlicePlan &plan, ArrayRef<Axis> dims,
                                   AffineMap map, const SliceRegion &loops) {
  return plan.project(dims, loops, [&](unsigned dim) {
    auto loop = dyn_cast<AffineDimExpr>(map.getResult(dim));
    return loop ? SmallVector<unsigned>{loop.getPosition()} : SmallVector<unsigned>();
  });
}

SliceRegion SliceConstants::getOperandRegion(linalg::LinalgOp op, OpOperand &use,
                                             const SliceRegion &loops) const {
  return getMappedRegion(plan, plan.analysis.get(use), op.getMatchingIndexingMap(&use),
                         loops);
}

SliceRegion SliceConstants::getResultRegion(linalg::LinalgOp op, unsigned result,
                                            const SliceRegion &loops) const {
  return getMappedRegion(plan, plan.analysis.get(op->getResult(result)),
                         op.getMatchingIndexingMap(op.getDpsInitOperand(result)), loops);
}

SmallVector<OffPattern> SliceConstants::getArguments(linalg::LinalgOp op,
                                                     const SliceRegion &loops) const {
  SmallVector<OffPattern> arguments;
  for (OpOperand &use : op->getOpOperands()) {
    OffPattern argument;
    if (isa<TensorType>(use.get().getType())) {
      argument.constant = get(use, getOperandRegion(op, use, loops));
    } else {
      Attribute constant;
      matchPattern(use.get(), m_Constant(&constant));
      argument.constant = dyn_cast_or_null<TypedAttr>(constant);
    }
    arguments.push_back(argument);
  }
  return arguments;
}

bool SliceConstants::isNeutral(linalg::LinalgOp op, const SliceRegion &loops) const {
  auto combinations = matchCombinations(op);
  if (failed(combinations))
    return false;
  SmallVector<OffPattern> arguments = getArguments(op, loops);
  for (unsigned init = op.getNumDpsInputs(); init < arguments.size(); ++init)
    arguments[init] = {};
  for (const Combination &combination : *combinations) {
    TypedAttr term =
        OffPatternAnalysis::evaluateBody(op, arguments, combination.term).constant;
    std::optional<TypedAttr> neutral = arith::getNeutralElement(combination.combiner);
    bool isZeroSum =
        isa<arith::AddFOp>(combination.combiner) && OffPattern{term, true}.isZero();
    if (!isZeroSum && !(term && neutral && term == *neutral))
      return false;
  }
  return true;
}

void SliceConstants::visit(Block &block) {
  for (Operation &op : block.without_terminator())
    visit(&op);
}

void SliceConstants::visit(linalg::LinalgOp op) {
  auto [parallel, reduced] = plan.splitSlots(op);
  bool reads = op.getNumReductionLoops();
  for (const SliceRegion &region : SlicePlan::getRegions(parallel)) {
    bool isKept = reads;
    if (reads)
      for (const SliceRegion &more : SlicePlan::getRegions(reduced)) {
        SliceRegion all(region);
        llvm::append_range(all, more);
        llvm::sort(all);
        isKept &= isNeutral(op, all);
      }
    SmallVector<OffPattern> arguments = getArguments(op, region);
    for (unsigned result = 0; result < op->getNumResults(); ++result) {
      TypedAttr constant;
      if (!reads)
        constant = OffPatternAnalysis::evaluateBody(
                       op, arguments, op.getBlock()->getTerminator()->getOperand(result))
                       .constant;
      else if (isKept)
        constant = arguments[op.getNumDpsInputs() + result].constant;
      set(op->getResult(result), getResultRegion(op, result, region), constant);
    }
  }
}

bool SliceConstants::join(Value value, const SliceRegion &region, TypedAttr constant,
                          bool isFirst) {
  TypedAttr before = get(value, region);
  TypedAttr after = isFirst || before == constant ? constant : TypedAttr();
  set(value, region, after);
  return before != after;
}

void SliceConstants::visit(scf::ForOp op) {
  // Assumes that what is carried stays what it starts as, until it does not.
  auto joinAll = [&](MutableArrayRef<OpOperand> uses, bool isFirst) {
    bool changed = false;
    for (auto [number, use] : llvm::enumerate(uses)) {
      Value carried = op.getRegionIterArg(number);
      ArrayRef<Axis> dims = plan.analysis.get(carried);
      for (const SliceRegion &region : SlicePlan::getRegions(plan.getSlots(dims))) {
        changed |= join(carried, region, get(use, region), isFirst);
        set(op.getResult(number), region, get(carried, region));
      }
    }
    return changed;
  };
  joinAll(op.getInitArgsMutable(), /*isFirst=*/true);
  do
    visit(*op.getBody());
  while (joinAll(op.getBody()->getTerminator()->getOpOperands(), /*isFirst=*/false));
}

void SliceConstants::visit(scf::IfOp op) {
  bool isFirst = true;
  for (Region *branch : op.getRegions()) {
    if (branch->empty())
      continue;
    visit(branch->front());
    for (auto [number, use] :
         llvm::enumerate(branch->front().getTerminator()->getOpOperands()))
      for (const SliceRegion &region :
           SlicePlan::getRegions(plan.getSlots(plan.analysis.get(op.getResult(number)))))
        join(op.getResult(number), region, get(use, region), isFirst);
    isFirst = false;
  }
}

/// What a move makes of tensors of one constant.
TypedAttr SliceConstants::evaluateMove(Operation *op, const SliceRegion &region) const {
  TypedAttr common;
  if (auto pad = dyn_cast<tensor::PadOp>(op)) {
    Attribute constant;
    if (Value fill = pad.getConstantPaddingValue())
      matchPattern(fill, m_Constant(&constant));
    common = dyn_cast_or_null<TypedAttr>(constant);
    if (!common)
      return {};
  }
  for (OpOperand &use : op->getOpOperands()) {
    if (!isa<TensorType>(use.get().getType()))
      continue;
    TypedAttr constant = get(use, getMovedRegion(plan, use, region));
    if (!constant || (common && common != constant))
      return {};
    common = constant;
  }
  return common;
}

void SliceConstants::visit(Operation *op) {
  if (op->getNumResults() == 1 && plan.analysis.isUniform(op->getResult(0)))
    return;
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return visit(linalgOp);
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return visit(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return visit(branch);
  if (op->getNumResults() != 1)
    return;
  Value result = op->getResult(0);
  ArrayRef<Axis> dims = plan.analysis.get(result);
  for (const SliceRegion &region : SlicePlan::getRegions(plan.getSlots(dims))) {
    TypedAttr constant;
    if (isa<DensifyOp>(op) && !region.empty()) {
      auto type = cast<RankedTensorType>(result.getType());
      constant = Builder(op->getContext()).getZeroAttr(type.getElementType());
    } else {
      constant = isMove(op) ? evaluateMove(op, region) : TypedAttr();
    }
    set(result, region, constant);
  }
}
