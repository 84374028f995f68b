// Axes of structured operations: their loops, and what their bodies read.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "sparsam/Analysis/CoupledAxes.h"
#include "sparsam/Analysis/Elementwise.h"

using namespace mlir;
using namespace mlir::sparsam;

FailureOr<SmallVector<Combination>> sparsam::matchCombinations(linalg::LinalgOp op) {
  Block *body = op.getBlock();
  SmallVector<Combination> found;
  for (auto [number, yielded] : llvm::enumerate(body->getTerminator()->getOperands())) {
    BlockArgument accumulator = body->getArgument(op.getNumDpsInputs() + number);
    Operation *combiner = yielded.getDefiningOp();
    if (!isCombiner(combiner) || combiner->getBlock() != body || !accumulator.hasOneUse())
      return failure();
    if (combiner->getOperand(0) == accumulator)
      found.push_back({combiner, combiner->getOperand(1)});
    else if (combiner->getOperand(1) == accumulator)
      found.push_back({combiner, combiner->getOperand(0)});
    else
      return failure();
  }
  return found;
}

void CoupledAxes::visitLinalg(linalg::LinalgOp op) {
  Location loc = op.getLoc();
  ArrayRef<Axis> loops = getLoops(op);
  auto meet = [&](ArrayRef<Axis> dims, AffineMap map) {
    for (auto [axis, expr] : llvm::zip_equal(dims, map.getResults())) {
      if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
        axes.unify(axis, loops[loop.getPosition()], loc);
        continue;
      }
      if (isa<AffineConstantExpr>(expr)) {
        blockDims(axis, loc, "an operation takes one entry of it");
        continue;
      }
      StringRef reason = "a window moves along it";
      blockDims(axis, loc, reason);
      expr.walk([&](AffineExpr inner) {
        if (auto loop = dyn_cast<AffineDimExpr>(inner))
          blockDims(loops[loop.getPosition()], loc, reason);
      });
    }
  };
  for (OpOperand &use : op->getOpOperands())
    if (isa<RankedTensorType>(use.get().getType()))
      meet(get(use), op.getMatchingIndexingMap(&use));
  for (OpResult result : op->getResults())
    meet(get(result), op.getMatchingIndexingMap(op.getTiedOpOperand(result)));
  visitBody(op);
  visitReductions(op);
}

/// Reading its position is only good for reading another tensor there.
void CoupledAxes::visitBody(linalg::LinalgOp op) {
  Location loc = op.getLoc();
  ArrayRef<Axis> loops = getLoops(op);
  op->walk([&](Operation *inner) {
    if (inner == op)
      return;
    if (auto extract = dyn_cast<tensor::ExtractOp>(inner)) {
      ArrayRef<Axis> dims = get(extract.getTensorMutable());
      for (auto [axis, index] : llvm::zip_equal(dims, extract.getIndices())) {
        if (auto position = index.getDefiningOp<linalg::IndexOp>())
          axes.unify(axis, loops[position.getDim()], loc);
        else if (isConstantIntValue(index, 0) || isConstantIntValue(index, 1))
          blockDims(axis, loc, "an operation takes one entry of it");
        else
          blockDims(axis, loc, "entries of it are looked up by data");
      }
      return;
    }
    if (auto position = dyn_cast<linalg::IndexOp>(inner)) {
      for (Operation *user : position->getUsers())
        if (!isa<tensor::ExtractOp>(user))
          blockDims(loops[position.getDim()], loc, "an operation counts along it");
      return;
    }
    for (OpOperand &use : inner->getOpOperands())
      if (isa<TensorType>(use.get().getType()))
        blockDims(get(use), loc, "the body of an operation takes it");
  });
}

void CoupledAxes::visitReductions(linalg::LinalgOp op) {
  if (!op.getNumReductionLoops())
    return;
  auto combinations = matchCombinations(op);
  bool isKnown = succeeded(combinations) &&
                 llvm::none_of(*combinations, [](const Combination &combination) {
                   return isa<arith::MulFOp>(combination.combiner);
                 });
  if (isKnown && (op->getNumResults() == 1))
    return;
  for (auto [loop, type] : llvm::zip_equal(getLoops(op), op.getIteratorTypesArray()))
    if (linalg::isReductionIterator(type))
      blockDims(loop, op.getLoc(),
                "`" + op->getName().getStringRef() +
                    "` combines its entries in a way that is not a sum, maximum or the "
                    "like of one result");
}
