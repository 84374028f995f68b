// Rule 9, structured operations: at smaller sizes, for removed entries once where these
// matter, and reductions of both.
#include "Slicing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

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
  auto [parallel, reduced] = plan.splitSlots(op);
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
