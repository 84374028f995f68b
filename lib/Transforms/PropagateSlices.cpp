// Rule 9 of the algebra: a function with stored slices computes on kept entries.
//
// Every value with sliced axes is made at its smaller size, by the ops that made it. The
// removed entries of an axis are all treated alike, so they are equal all along it: where
// they matter, they are made by the same ops once, at size 1. A sum over an axis of which
// D - D' entries were removed is the sum over the D' kept ones plus D - D' times what one
// removed entry contributes; a maximum meets it once. Constants stay, so the divisor of a
// mean does.
#include "PropagateRules.h"
#include "SliceConstants.h"
#include "SliceMoves.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Analysis/Views.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Makes the body of a function again.
class Slicing {
public:
  Slicing(func::FuncOp function, const SlicePlan &plan)
      : function(function), plan(plan), constants(function, plan),
        builder(function.getContext()) {}

  void run();

private:
  Value lookUp(OpOperand &use, const SliceRegion &region);
  Value lookUp(Value value, ArrayRef<Axis> dims, const SliceRegion &region);
  Value complete(Value value);
  Value complete(Value value, ArrayRef<Axis> dims, const SliceRegion &region,
                 ArrayRef<Slot> slots);
  Value repeat(Value value, ArrayRef<Axis> dims, const SliceRegion &region);
  SmallVector<Value> lookUpTables(linalg::LinalgOp op,
                                  function_ref<unsigned(unsigned)> dimOf,
                                  const SliceRegion &region);
  Operation *finish(linalg::LinalgOp op, ValueRange operands, ArrayRef<Value> tables);
  void record(Value value, const SliceRegion &region, Value made);
  void visit(Block &block);
  void visit(Operation *op);
  Operation *clone(Operation *op);
  void copy(Operation *op);
  void sliceLinalg(linalg::LinalgOp op);
  Operation *build(linalg::LinalgOp op, const SliceRegion &loops, ValueRange inits);
  Value addRemoved(linalg::LinalgOp op, const SliceRegion &region, ArrayRef<Slot> reduced,
                   Value sum);
  void sliceMove(Operation *op);
  void sliceElementwise(Operation *op);
  void sliceLoop(scf::ForOp op);
  void sliceBranch(scf::IfOp op);
  void takeDensify(DensifyOp op);
  void takeRestrict(RestrictOp op);
  SmallVector<SliceRegion> getRegionsToMake(Value value);

  func::FuncOp function;
  const SlicePlan &plan;
  SliceConstants constants;
  OpBuilder builder;
  /// Everything, of tensors the kept entries.
  IRMapping kept;
  std::map<std::pair<void *, SliceRegion>, Value> removed;
};

} // namespace

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

/// `value` with its removed entries among the kept ones.
Value Slicing::complete(Value value) {
  ArrayRef<Axis> dims = plan.analysis.get(value);
  SmallVector<Slot> slots = plan.getSlots(dims);
  if (slots.empty() || plan.analysis.isUniform(value))
    return kept.lookup(value);
  return complete(value, dims, {}, slots);
}

/// The same in a region, along the dimensions of `slots`.
Value Slicing::complete(Value value, ArrayRef<Axis> dims, const SliceRegion &region,
                        ArrayRef<Slot> slots) {
  if (slots.empty())
    return lookUp(value, dims, region);
  Location loc = value.getLoc();
  Slot slot = slots.front();
  SliceRegion without(region);
  without.push_back(slot);
  llvm::sort(without);
  Value some = complete(value, dims, region, slots.drop_front());
  Value once = complete(value, dims, without, slots.drop_front());
  auto type = cast<RankedTensorType>(some.getType());
  int64_t keep = type.getDimSize(slot.first);
  SmallVector<int64_t> shape(type.getShape());
  shape[slot.first] = plan.analysis.axes.getSize(slot.second);
  unsigned rank = shape.size();
  SmallVector<AffineExpr> source;
  for (unsigned dim = 0; dim < rank; ++dim)
    source.push_back(dim == slot.first ? builder.getAffineConstantExpr(0)
                                       : builder.getAffineDimExpr(dim));
  Value empty = buildEmpty(builder, loc, shape, type.getElementType());
  SmallVector<AffineMap> maps{AffineMap::get(rank, 0, source, builder.getContext()),
                              builder.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  Value all =
      linalg::GenericOp::create(builder, loc, empty.getType(), once, empty, maps, loops,
                                [](OpBuilder &nested, Location at, ValueRange arguments) {
                                  linalg::YieldOp::create(nested, at, arguments[0]);
                                })
          .getResult(0);
  auto constant = [&](int64_t number) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, number);
  };
  Value indices = kept.lookup(plan.getIndices(slot.second));
  auto made = scf::ForOp::create(
      builder, loc, constant(0), constant(keep), constant(1), all,
      [&](OpBuilder &nested, Location at, Value number, ValueRange carried) {
        Value stored = tensor::ExtractOp::create(nested, at, indices, number);
        Value place =
            arith::IndexCastUIOp::create(nested, at, nested.getIndexType(), stored);
        SmallVector<OpFoldResult> from(rank, nested.getIndexAttr(0)), to(from), sizes,
            strides(rank, nested.getIndexAttr(1));
        for (int64_t size : type.getShape())
          sizes.push_back(nested.getIndexAttr(size));
        sizes[slot.first] = nested.getIndexAttr(1);
        from[slot.first] = number;
        to[slot.first] = place;
        Value entry =
            tensor::ExtractSliceOp::create(nested, at, some, from, sizes, strides);
        Value inserted = tensor::InsertSliceOp::create(nested, at, entry, carried[0], to,
                                                       sizes, strides);
        scf::YieldOp::create(nested, at, inserted);
      });
  return made.getResult(0);
}

/// Makes what is broadcast again, for dimensions of other sizes.
Value Slicing::repeat(Value value, ArrayRef<Axis> dims, const SliceRegion &region) {
  auto op = value.getDefiningOp<linalg::LinalgOp>();
  OpOperand *init = op.getDpsInitOperand(0);
  AffineMap result = op.getMatchingIndexingMap(init);
  DenseMap<unsigned, unsigned> dimOf;
  for (unsigned dim = 0; dim < result.getNumResults(); ++dim)
    dimOf[result.getDimPosition(dim)] = dim;
  const llvm::SmallBitVector &repeated = plan.analysis.getRepeatedDims(value);
  SmallVector<Value> operands;
  for (OpOperand *use : op.getDpsInputOperands()) {
    if (!isa<TensorType>(use->get().getType())) {
      operands.push_back(kept.lookupOrDefault(use->get()));
      continue;
    }
    AffineMap access = op.getMatchingIndexingMap(use);
    SmallVector<Axis> own(plan.analysis.get(*use));
    auto resultDim = [&](unsigned dim) -> SmallVector<unsigned> {
      auto loop = dyn_cast<AffineDimExpr>(access.getResult(dim));
      return loop ? SmallVector<unsigned>{dimOf.lookup(loop.getPosition())}
                  : SmallVector<unsigned>();
    };
    for (unsigned dim = 0; dim < own.size(); ++dim)
      for (unsigned at : resultDim(dim))
        if (repeated.test(at))
          own[dim] = dims[at];
    operands.push_back(lookUp(use->get(), own, plan.project(own, region, resultDim)));
  }
  SmallVector<Value> tables =
      lookUpTables(op, [&](unsigned loop) { return dimOf[loop]; }, region);
  operands.push_back(buildEmpty(builder, op.getLoc(), plan.getShape(dims, region),
                                getElementTypeOrSelf(value)));
  return finish(op, operands, tables)->getResult(0);
}

/// What the body of `op` looks up, in its order; `dimOf` gives what `region` calls a
/// loop.
SmallVector<Value> Slicing::lookUpTables(linalg::LinalgOp op,
                                         function_ref<unsigned(unsigned)> dimOf,
                                         const SliceRegion &region) {
  SmallVector<Value> tables;
  op->walk([&](tensor::ExtractOp extract) {
    OpOperand &use = extract.getTensorMutable();
    tables.push_back(
        lookUp(use, plan.project(plan.analysis.get(use), region, [&](unsigned dim) {
          auto position = extract.getIndices()[dim].getDefiningOp<linalg::IndexOp>();
          return position ? SmallVector<unsigned>{dimOf(position.getDim())}
                          : SmallVector<unsigned>();
        })));
  });
  return tables;
}

/// A copy of `op` on these operands, whose body looks up `tables`.
Operation *Slicing::finish(linalg::LinalgOp op, ValueRange operands,
                           ArrayRef<Value> tables) {
  Operation *made = clone(op);
  made->setOperands(operands);
  for (auto [result, init] :
       llvm::zip_equal(made->getResults(), cast<linalg::LinalgOp>(made).getDpsInits()))
    result.setType(init.getType());
  made->walk([&](tensor::ExtractOp extract) {
    extract.getTensorMutable().assign(tables.front());
    tables = tables.drop_front();
  });
  return made;
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

Operation *Slicing::build(linalg::LinalgOp op, const SliceRegion &loops,
                          ValueRange inits) {
  SmallVector<Value> operands;
  for (OpOperand *use : op.getDpsInputOperands())
    operands.push_back(lookUp(*use, isa<TensorType>(use->get().getType())
                                        ? constants.getOperandRegion(op, *use, loops)
                                        : SliceRegion()));
  llvm::append_range(operands, inits);
  SmallVector<Value> tables = lookUpTables(op, [](unsigned loop) { return loop; }, loops);
  return finish(op, operands, tables);
}

/// Adds to the reduction over kept entries what the removed ones contribute.
Value Slicing::addRemoved(linalg::LinalgOp op, const SliceRegion &region,
                          ArrayRef<Slot> reduced, Value sum) {
  for (const SliceRegion &part : SlicePlan::getRegions(reduced)) {
    int64_t count = 1;
    for (const Slot &slot : part)
      count *= plan.getLost(slot.second);
    SliceRegion loops(region);
    llvm::append_range(loops, part);
    llvm::sort(loops);
    if (part.empty() || constants.isNeutral(op, loops))
      continue;
    Location loc = op.getLoc();
    Operation *combiner = matchCombinations(op)->front().combiner;
    Value neutral = createNeutral(builder, loc, combiner, sum.getType());
    Value once = build(op, loops, neutral)->getResult(0);
    if (isa<arith::AddFOp>(combiner)) {
      Type element = getElementTypeOrSelf(once);
      Value times =
          arith::ConstantOp::create(builder, loc, builder.getFloatAttr(element, count));
      once = buildScaled(builder, loc, once, times);
    } else if (isa<arith::AddIOp>(combiner)) {
      auto type = cast<RankedTensorType>(once.getType());
      Value times = arith::ConstantOp::create(
          builder, loc,
          DenseElementsAttr::get(
              type, Attribute(builder.getIntegerAttr(type.getElementType(), count))));
      once = buildElementwise<arith::MulIOp>(builder, loc, {once, times});
    }
    sum = createCombined(builder, loc, combiner, sum, once);
  }
  return sum;
}

void Slicing::sliceLinalg(linalg::LinalgOp op) {
  SmallVector<Slot> parallel, reduced;
  for (const Slot &slot : plan.getSlots(plan.analysis.getLoops(op)))
    (linalg::isReductionIterator(op.getIteratorTypesArray()[slot.first]) ? reduced
                                                                         : parallel)
        .push_back(slot);
  for (const SliceRegion &region : SlicePlan::getRegions(parallel)) {
    SmallVector<SliceRegion> ofResults;
    bool isKnown = !region.empty();
    for (unsigned result = 0; result < op->getNumResults(); ++result) {
      ofResults.push_back(constants.getResultRegion(op, result, region));
      isKnown &=
          static_cast<bool>(constants.get(op->getResult(result), ofResults[result]));
    }
    if (isKnown)
      continue;
    SmallVector<Value> inits;
    for (OpOperand &init : op.getDpsInitsMutable())
      inits.push_back(lookUp(init, constants.getOperandRegion(op, init, region)));
    Operation *made = build(op, region, inits);
    for (auto [number, result] : llvm::enumerate(made->getResults()))
      record(op->getResult(number), ofResults[number],
             reduced.empty() ? Value(result) : addRemoved(op, region, reduced, result));
  }
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

void Slicing::run() {
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
