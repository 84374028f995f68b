#include "LoopEmitter.h"
#include "Buffers.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::sparsam;

/// A parallel region costs a few microseconds; a core does this many simple
/// iterations in about ten.
static constexpr int64_t workWorthThreads = 32768;
/// Parallel iterations that are enough for any number of cores to share evenly.
static constexpr int64_t enoughParallelism = 64;

/// What one iteration costs, in simple vector operations.
static int64_t getIterationCost(linalg::GenericOp op) {
  int64_t cost = 1;
  for (Operation &inner : op.getRegion().front()) {
    if (isa<math::MathDialect>(inner.getDialect()) &&
        !isa<math::AbsFOp, math::FmaOp>(inner))
      cost += 8;
    else if (isa<arith::DivFOp, arith::RemFOp>(inner))
      cost += 4;
  }
  return cost;
}

/// The dimension along which the most elements of memory are contiguous; stores count
/// for more than loads.
static unsigned chooseInner(linalg::GenericOp op, ArrayRef<int64_t> sizes) {
  if (sizes.empty())
    return 0;
  SmallVector<double> scores(sizes.size());
  for (OpOperand &operand : op->getOpOperands()) {
    std::optional<StridedLayout> layout = getStridedLayout(operand.get().getType());
    if (!layout)
      continue;
    double elements = cast<MemRefType>(operand.get().getType()).getNumElements();
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [expr, stride] : llvm::zip_equal(map.getResults(), layout->strides)) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (dim && stride == 1 && sizes[dim.getPosition()] > 1)
        scores[dim.getPosition()] += elements * (op.isDpsInit(&operand) ? 1.5 : 1.0);
    }
  }
  unsigned best = sizes.size() - 1;
  for (auto [dim, score] : llvm::enumerate(scores))
    if (score > scores[best])
      best = dim;
  return best;
}

LoopEmitter::LoopEmitter(linalg::GenericOp op)
    : op(op), loc(op.getLoc()), sizes(op.getStaticLoopRanges()),
      inner(chooseInner(op, sizes)), variables(sizes.size()),
      destinations(op.getDpsInits()) {
  Builder builder(op.getContext());
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    bool reduction = linalg::isReductionIterator(op.getIteratorTypesArray()[dim]);
    (reduction ? reductionDims : parallelDims).push_back(dim);
    ranges.push_back({builder.getIndexAttr(0), builder.getIndexAttr(size)});
    work *= size;
  }
  work *= getIterationCost(op);
}

bool LoopEmitter::isReduction(unsigned dim) const {
  return llvm::is_contained(reductionDims, dim);
}

bool LoopEmitter::useThreads() const {
  return !insideParallel && work >= workWorthThreads;
}

void LoopEmitter::setRange(unsigned dim, OpFoldResult lower, OpFoldResult upper) {
  ranges[dim] = {lower, upper};
}

Value LoopEmitter::getIndex(OpBuilder &builder, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value LoopEmitter::getBound(OpBuilder &builder, OpFoldResult bound) {
  return getValueOrCreateConstantIndexOp(builder, loc, bound);
}

void LoopEmitter::emitFor(OpBuilder &builder, ArrayRef<unsigned> dims, Body body) {
  emitForCarrying(builder, dims, {}, [&](OpBuilder &inside, ArrayRef<Value>) {
    body(inside);
    return SmallVector<Value>();
  });
}

SmallVector<Value> LoopEmitter::emitForCarrying(
    OpBuilder &builder, ArrayRef<unsigned> dims, ArrayRef<Value> values,
    function_ref<SmallVector<Value>(OpBuilder &, ArrayRef<Value>)> body) {
  if (dims.empty())
    return body(builder, values);
  auto [lower, upper] = ranges[dims.front()];
  auto loop = scf::ForOp::create(
      builder, loc, getBound(builder, lower), getBound(builder, upper),
      getIndex(builder, 1), values,
      [&](OpBuilder &inside, Location, Value variable, ValueRange carried) {
        variables[dims.front()] = variable;
        SmallVector<Value> next =
            emitForCarrying(inside, dims.drop_front(), SmallVector<Value>(carried), body);
        scf::YieldOp::create(inside, loc, next);
      });
  return SmallVector<Value>(loop.getResults());
}

void LoopEmitter::emitParallel(OpBuilder &builder, ArrayRef<unsigned> dims, Body body) {
  if (!useThreads() || dims.empty())
    return emitFor(builder, dims, body);
  unsigned count = 0;
  int64_t iterations = 1;
  SmallVector<Value> lowers, uppers, steps;
  while (count < dims.size() && iterations < enoughParallelism) {
    unsigned dim = dims[count++];
    iterations *= sizes[dim];
    lowers.push_back(getBound(builder, ranges[dim].lower));
    uppers.push_back(getBound(builder, ranges[dim].upper));
    steps.push_back(getIndex(builder, 1));
  }
  scf::ParallelOp::create(builder, loc, lowers, uppers, steps,
                          [&](OpBuilder &inside, Location, ValueRange induction) {
                            for (unsigned i = 0; i < count; ++i)
                              variables[dims[i]] = induction[i];
                            emitFor(inside, dims.drop_front(count), body);
                          });
}

SmallVector<Value> LoopEmitter::emitForBlocks(
    OpBuilder &builder, int64_t count, ArrayRef<Value> values,
    function_ref<SmallVector<Value>(OpBuilder &, Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(
      builder, loc, getIndex(builder, 0), getIndex(builder, count), getIndex(builder, 1),
      values, [&](OpBuilder &inside, Location, Value block, ValueRange carried) {
        scf::YieldOp::create(inside, loc, body(inside, block, carried));
      });
  return SmallVector<Value>(loop.getResults());
}

void LoopEmitter::emitParallelBlocks(OpBuilder &builder, int64_t count,
                                     function_ref<void(OpBuilder &, Value)> body) {
  scf::ParallelOp::create(builder, loc, getIndex(builder, 0), getIndex(builder, count),
                          getIndex(builder, 1),
                          [&](OpBuilder &inside, Location, ValueRange induction) {
                            body(inside, induction[0]);
                          });
}

SmallVector<Value> LoopEmitter::getIndices(OpBuilder &builder, AffineMap map) {
  SmallVector<Value> indices;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      indices.push_back(variables[dim.getPosition()]);
    else if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      indices.push_back(getIndex(builder, constant.getValue()));
    else
      indices.push_back(affine::AffineApplyOp::create(
          builder, loc, AffineMap::get(map.getNumDims(), 0, expr), variables));
  }
  return indices;
}

SmallVector<Value> LoopEmitter::getResultIndices(OpBuilder &builder, unsigned result) {
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(result));
  SmallVector<Value> indices = getIndices(builder, map);
  if (destinationBlock)
    indices.insert(indices.begin(), destinationBlock);
  return indices;
}

SmallVector<Value> LoopEmitter::emitPayload(OpBuilder &builder,
                                            ArrayRef<Value> accumulators) {
  Block &block = op.getRegion().front();
  IRMapping mapping;
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (argument.use_empty())
      continue;
    if (op.isDpsInit(&operand)) {
      unsigned result = operand.getOperandNumber() - op.getNumDpsInputs();
      if (!accumulators.empty())
        mapping.map(argument, accumulators[result]);
      else
        mapping.map(argument, memref::LoadOp::create(builder, loc, destinations[result],
                                                     getResultIndices(builder, result)));
    } else if (isa<MemRefType>(operand.get().getType())) {
      mapping.map(argument,
                  memref::LoadOp::create(
                      builder, loc, operand.get(),
                      getIndices(builder, op.getMatchingIndexingMap(&operand))));
    } else {
      mapping.map(argument, operand.get());
    }
  }
  for (Operation &inside : block.without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inside))
      mapping.map(index.getResult(), variables[index.getDim()]);
    else
      builder.clone(inside, mapping);
  }
  SmallVector<Value> results;
  for (Value value : block.getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(value));
  return results;
}

SmallVector<Value> LoopEmitter::emitLoadResults(OpBuilder &builder) {
  SmallVector<Value> values;
  for (auto [result, destination] : llvm::enumerate(destinations))
    values.push_back(memref::LoadOp::create(builder, loc, destination,
                                            getResultIndices(builder, result)));
  return values;
}

void LoopEmitter::emitStoreResults(OpBuilder &builder, ArrayRef<Value> values) {
  for (auto [result, destination] : llvm::enumerate(destinations))
    memref::StoreOp::create(builder, loc, values[result], destination,
                            getResultIndices(builder, result));
}

void LoopEmitter::redirectResults(ArrayRef<Value> partials, Value block) {
  destinations.assign(partials.begin(), partials.end());
  destinationBlock = block;
}

void LoopEmitter::restoreResults() {
  destinations.assign(op.getDpsInits().begin(), op.getDpsInits().end());
  destinationBlock = {};
}
