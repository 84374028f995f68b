// Rule 9 of the algebra: a function with stored slices computes on kept entries.
//
// Every value with sliced axes is made at its smaller size, by the ops that made it. The
// removed entries of an axis are all treated alike, so they are equal all along it: where
// they matter, they are made by the same ops once, at size 1. A sum over an axis of which
// D - D' entries were removed is the sum over the D' kept ones plus D - D' times what one
// removed entry contributes; a maximum meets it once. Constants stay, so the divisor of a
// mean does.
#include "PropagateRules.h"
#include "SliceMoves.h"
#include "Slicing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Analysis/Views.h"
#include "sparsam/Transforms/Boundary.h"

using namespace mlir;
using namespace mlir::sparsam;

Value Slicing::lookUp(OpOperand &use, const SliceRegion &region) {
  if (!isa<TensorType>(use.get().getType()))
    return kept.lookupOrDefault(use.get());
  if (plan.analysis.takesAll(use))
    return complete(use.get());
  return lookUp(use.get(), plan.analysis.get(use), region);
}

/// `value` where its dimensions have the axes `dims`, which may be others than its own
/// where its entries repeat.
Value Slicing::lookUp(Value value, ArrayRef<Axis> dims, const SliceRegion &region) {
  if (plan.analysis.isUniform(value)) {
    SmallVector<int64_t> shape = plan.getShape(dims, region);
    Value made = kept.lookup(value);
    if (cast<RankedTensorType>(made.getType()).getShape() == ArrayRef(shape))
      return made;
    return remakeUniform(builder, made, shape);
  }
  SliceRegion own = plan.getOwnRegion(value, region);
  TypedAttr constant = region.empty() ? TypedAttr() : constants.get(value, own);
  if (constant) {
    auto type = cast<RankedTensorType>(value.getType());
    return arith::ConstantOp::create(
        builder, value.getLoc(),
        DenseElementsAttr::get(type.clone(plan.getShape(dims, region)),
                               Attribute(constant)));
  }
  const llvm::SmallBitVector &repeated = plan.analysis.getRepeatedDims(value);
  if (llvm::any_of(plan.getSlots(dims),
                   [&](const Slot &slot) { return repeated.test(slot.first); }))
    return repeat(value, dims, region);
  if (region.empty())
    return kept.lookup(value);
  return removed.at({value.getAsOpaquePointer(), region});
}

void Slicing::record(Value value, const SliceRegion &region, Value made) {
  if (region.empty())
    kept.map(value, made);
  else
    removed[{value.getAsOpaquePointer(), region}] = made;
}

/// The kept entries and what is no constant.
SmallVector<SliceRegion> Slicing::getRegionsToMake(Value value) {
  SmallVector<SliceRegion> regions;
  for (SliceRegion &region :
       SlicePlan::getRegions(plan.getSlots(plan.analysis.get(value))))
    if (region.empty() || !constants.get(value, region))
      regions.push_back(std::move(region));
  return regions;
}

/// A copy in which what is inside is mapped too.
Operation *Slicing::clone(Operation *op) {
  IRMapping own;
  op->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (Value made = kept.lookupOrNull(operand))
        own.map(operand, made);
  });
  return builder.clone(*op, own);
}

void Slicing::copy(Operation *op) {
  SmallVector<std::pair<unsigned, Value>> complete;
  for (OpOperand &use : op->getOpOperands())
    if (plan.analysis.takesAll(use))
      complete.emplace_back(use.getOperandNumber(), lookUp(use, {}));
  Operation *made = clone(op);
  for (auto [number, value] : complete)
    made->setOperand(number, value);
  kept.map(op->getResults(), made->getResults());
}

void Slicing::sliceMove(Operation *op) {
  for (const SliceRegion &region : getRegionsToMake(op->getResult(0)))
    record(op->getResult(0), region,
           createMove(
               builder, plan, op, region,
               [&](OpOperand &use) {
                 return lookUp(use, getMovedRegion(plan, use, region));
               },
               kept));
}

/// Arithmetic on whole tensors.
void Slicing::sliceElementwise(Operation *op) {
  ArrayRef<Axis> dims = plan.analysis.get(op->getResult(0));
  for (const SliceRegion &region : getRegionsToMake(op->getResult(0))) {
    SmallVector<Value> operands;
    for (OpOperand &use : op->getOpOperands())
      operands.push_back(lookUp(
          use, isa<TensorType>(use.get().getType())
                   ? plan.project(plan.analysis.get(use), region,
                                  [](unsigned dim) { return SmallVector<unsigned>{dim}; })
                   : SliceRegion()));
    Operation *made = clone(op);
    made->setOperands(operands);
    made->getResult(0).setType(cast<RankedTensorType>(op->getResult(0).getType())
                                   .clone(plan.getShape(dims, region)));
    record(op->getResult(0), region, made->getResult(0));
  }
}

void Slicing::takeDensify(DensifyOp op) {
  ArrayRef<Axis> dims = plan.analysis.get(op.getResult());
  kept.map(op.getResult(),
           createReshape(builder, op.getLoc(), kept.lookup(op.getStorage().front()),
                         plan.getShape(dims, {})));
}

void Slicing::takeRestrict(RestrictOp op) {
  Value source = lookUp(op.getSourceMutable(), {});
  kept.map(op.getValues(), createReshape(builder, op.getLoc(), source,
                                         op.getValues().getType().getShape()));
}

void Slicing::sliceLoop(scf::ForOp op) {
  SmallVector<Value> inits;
  SmallVector<std::pair<unsigned, SliceRegion>> carried;
  for (auto [number, init] : llvm::enumerate(op.getInitArgsMutable()))
    for (SliceRegion &region : getRegionsToMake(op.getRegionIterArg(number))) {
      inits.push_back(lookUp(init, region));
      carried.emplace_back(number, std::move(region));
    }
  auto made = scf::ForOp::create(
      builder, op.getLoc(), kept.lookupOrDefault(op.getLowerBound()),
      kept.lookupOrDefault(op.getUpperBound()), kept.lookupOrDefault(op.getStep()), inits,
      [](OpBuilder &, Location, Value, ValueRange) {}, op.getUnsignedCmp());
  made->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  kept.map(op.getInductionVar(), made.getInductionVar());
  for (auto [place, one] : llvm::enumerate(carried))
    record(op.getRegionIterArg(one.first), one.second, made.getRegionIterArg(place));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(made.getBody());
  visit(*op.getBody());
  SmallVector<Value> yielded;
  for (const auto &[number, region] : carried)
    yielded.push_back(
        lookUp(op.getBody()->getTerminator()->getOpOperand(number), region));
  scf::YieldOp::create(builder, op.getLoc(), yielded);
  for (auto [place, one] : llvm::enumerate(carried))
    record(op.getResult(one.first), one.second, made.getResult(place));
}

void Slicing::sliceBranch(scf::IfOp op) {
  SmallVector<std::pair<unsigned, SliceRegion>> results;
  SmallVector<Type> types;
  for (Value result : op.getResults())
    for (SliceRegion &region : getRegionsToMake(result)) {
      auto tensor = dyn_cast<RankedTensorType>(result.getType());
      types.push_back(tensor
                          ? tensor.clone(plan.getShape(plan.analysis.get(result), region))
                          : result.getType());
      results.emplace_back(cast<OpResult>(result).getResultNumber(), std::move(region));
    }
  auto made = scf::IfOp::create(builder, op.getLoc(), types,
                                kept.lookupOrDefault(op.getCondition()),
                                /*addThenBlock=*/true,
                                /*addElseBlock=*/!op.getElseRegion().empty());
  for (auto [from, to] : llvm::zip_equal(op.getRegions(), made->getRegions())) {
    if (from->empty())
      continue;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&to.front());
    visit(from->front());
    SmallVector<Value> yielded;
    for (const auto &[number, region] : results)
      yielded.push_back(
          lookUp(from->front().getTerminator()->getOpOperand(number), region));
    scf::YieldOp::create(builder, op.getLoc(), yielded);
  }
  for (auto [place, one] : llvm::enumerate(results))
    record(op.getResult(one.first), one.second, made.getResult(place));
}

void Slicing::visit(Operation *op) {
  auto hasSlots = [&](ArrayRef<Axis> dims) { return !plan.getSlots(dims).empty(); };
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return sliceLoop(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return sliceBranch(branch);
  if (op->getNumResults() == 1 && plan.analysis.isUniform(op->getResult(0)))
    return copy(op);
  if (plan.isTaken(op)) {
    if (auto densify = dyn_cast<DensifyOp>(op))
      return takeDensify(densify);
    return takeRestrict(cast<RestrictOp>(op));
  }
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
      linalgOp && hasSlots(plan.analysis.getLoops(linalgOp)))
    return sliceLinalg(linalgOp);
  bool isSliced = llvm::any_of(op->getOpOperands(), [&](OpOperand &use) {
    return isa<TensorType>(use.get().getType()) && hasSlots(plan.analysis.get(use));
  });
  if (isSliced && isMove(op))
    return sliceMove(op);
  if (isSliced && op->getNumResults() == 1)
    return sliceElementwise(op);
  copy(op);
}

void Slicing::visit(Block &block) {
  for (Operation &op : block.without_terminator())
    visit(&op);
}

/// Says of carried values that are no parameters which of their dimensions have all
/// entries of a sliced group, for whoever makes the smaller model.
void Slicing::nameGroups() {
  Operation *terminator = function.front().getTerminator();
  Builder attributes(function.getContext());
  for (unsigned number = 0; number < function.getNumArguments(); ++number) {
    auto result = function.getArgAttrOfType<IntegerAttr>(number, boundary::updates);
    if (!result || function.getArgAttr(number, boundary::part))
      continue;
    SmallVector<Attribute> names;
    bool hasGroup = false;
    for (StringAttr group :
         plan.getTakenGroups(terminator->getOpOperand(result.getInt()))) {
      names.push_back(group ? group : attributes.getStringAttr(""));
      hasGroup |= static_cast<bool>(group);
    }
    if (hasGroup)
      function.setArgAttr(number, boundary::groups, attributes.getArrayAttr(names));
  }
}

void Slicing::run() {
  nameGroups();
  Block *body = &function.front();
  Block *made = new Block();
  function.getBody().push_back(made);
  for (BlockArgument argument : body->getArguments())
    kept.map(argument, made->addArgument(argument.getType(), argument.getLoc()));
  builder.setInsertionPointToEnd(made);
  visit(*body);
  copy(body->getTerminator());
  body->dropAllReferences();
  body->dropAllDefinedValueUses();
  body->erase();
}

/// Whether something is stored as a slice: most functions have nothing to analyse.
static bool hasSlices(func::FuncOp function) {
  return function
      ->walk([](Operation *op) {
        auto densify = dyn_cast<DensifyOp>(op);
        auto restrict = dyn_cast<RestrictOp>(op);
        bool isSliced = (densify && !densify.getStructure().getSlicedAxes().empty()) ||
                        (restrict && !restrict.getStructure().getSlicedAxes().empty());
        return isSliced ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

unsigned sparsam::sliceGroups(func::FuncOp function) {
  if (!hasSlices(function))
    return 0;
  SlicePlan plan(function);
  if (plan.isEmpty())
    return 0;
  Slicing(function, plan).run();
  return plan.getNumGroups();
}
