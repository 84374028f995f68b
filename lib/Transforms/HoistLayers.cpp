// Rule 10 of the algebra, residuals: what a loop over layers stacks of a parameter again
// is that parameter.
//
// The forward pass of a scan keeps what its backward pass reads, such as each layer of a
// weight once it is converted, scaled or transposed: for (l) acc[l] = f(W[l]) with f that
// works on entries and rearranges them. That is f(W), without a loop, and the rules for
// densify and for factors take it from there.
#include "Layers.h"
#include "PropagateRules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Analysis/ElementwiseSlice.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

/// Whether `offset` is the number of the iteration, of which there are `count`; importers
/// leave it clamped.
static bool isIteration(OpFoldResult offset, scf::ForOp loop, int64_t count) {
  if (getConstantIntValue(loop.getLowerBound()) != 0 ||
      getConstantIntValue(loop.getUpperBound()) != count ||
      getConstantIntValue(loop.getStep()) != 1)
    return false;
  auto value = dyn_cast<Value>(offset);
  while (value && value != loop.getInductionVar()) {
    Operation *op = value.getDefiningOp();
    bool isKept =
        op && (isa<arith::IndexCastOp>(op) ||
               (isa<arith::MaxSIOp>(op) && getConstantIntValue(op->getOperand(1)) == 0) ||
               (isa<arith::MinSIOp>(op) &&
                getConstantIntValue(op->getOperand(1)) == count - 1));
    if (!isKept)
      return false;
    value = op->getOperand(0);
  }
  return static_cast<bool>(value);
}

/// The one dimension along which `slice` of a tensor of `shape` has one place, which is
/// the number of the iteration.
static std::optional<int64_t> getIterated(OffsetSizeAndStrideOpInterface slice,
                                          ArrayRef<int64_t> shape, scf::ForOp loop) {
  auto layers = matchLayers(slice, shape);
  if (!layers || layers->dims.size() != 1 || layers->sizes[0] != 1 ||
      !isIteration(layers->offsets[0], loop, shape[layers->dims[0]]))
    return std::nullopt;
  return layers->dims[0];
}

/// The tensor that `op` computes one entry from at a time, with scalars that `loop` does
/// not change; null where it is other work.
static Value getComputedFrom(Operation *op, scf::ForOp loop) {
  auto elementwise = matchElementwise(op);
  if (failed(elementwise) || elementwise->isCopy() || elementwise->readsDestination)
    return {};
  Value tensor;
  for (const ElementwiseOperand &operand : elementwise->operands) {
    if (operand.access == ElementAccess::Same && !tensor)
      tensor = operand.value;
    else if (operand.access != ElementAccess::Scalar ||
             !loop.isDefinedOutsideOfLoop(operand.value))
      return {};
  }
  bool isConstant = true;
  forEachUsedValue(op, [&](Value used) {
    isConstant &=
        llvm::is_contained(op->getOperands(), used) || loop.isDefinedOutsideOfLoop(used);
  });
  return isConstant ? tensor : Value();
}

/// The work again on a stacked tensor.
static Value cloneOnStack(RewriterBase &rewriter, Operation *op, Value stacked) {
  auto elementwise = matchElementwise(op);
  SmallVector<Value> operands;
  for (const ElementwiseOperand &operand : elementwise->operands)
    operands.push_back(operand.access == ElementAccess::Same ? stacked : operand.value);
  return cloneElementwise(rewriter, *elementwise, operands,
                          cast<RankedTensorType>(stacked.getType()).getShape());
}

/// What result `number` of `loop` is without the loop; null where it is something else.
static Value createStacked(RewriterBase &rewriter, scf::ForOp loop, unsigned number) {
  auto insert = loop.getYieldedValues()[number].getDefiningOp<tensor::InsertSliceOp>();
  if (!insert || insert.getDest() != loop.getRegionIterArg(number) ||
      insert.getSourceType().getRank() != insert.getDestType().getRank())
    return {};
  auto to = getIterated(insert, insert.getDestType().getShape(), loop);
  if (!to)
    return {};
  Product product = Product::identity(insert.getSource());
  Term &layer = product.terms[0];
  SmallVector<Operation *> work;
  while (true) {
    product.absorbViews(0);
    Value source = getComputedFrom(layer.value.getDefiningOp(), loop);
    if (!source)
      break;
    work.push_back(layer.value.getDefiningOp());
    layer.value = source;
  }
  auto extract = layer.value.getDefiningOp<tensor::ExtractSliceOp>();
  if (!extract || !loop.isDefinedOutsideOfLoop(extract.getSource()) ||
      extract.getType().getRank() != extract.getSourceType().getRank())
    return {};
  auto from = getIterated(extract, extract.getSourceType().getShape(), loop);
  if (!from)
    return {};
  rewriter.setInsertionPoint(loop);
  Value stacked = extract.getSource();
  ArrayRef<int64_t> shape = extract.getSourceType().getShape();
  for (Operation *op : llvm::reverse(work))
    stacked = cloneOnStack(rewriter, op, stacked);
  Group layers{product.addLetter(shape[*from])};
  Grouping dims = product.terms[0].dims;
  dims[*from] = layers;
  product.result[*to] = layers;
  return buildView(rewriter, loop.getLoc(), product, {stacked, dims}, product.result);
}

void sparsam::hoistStackedLayers(func::FuncOp function) {
  IRRewriter rewriter(function.getContext());
  SmallVector<scf::ForOp> loops;
  function.walk([&](scf::ForOp loop) { loops.push_back(loop); });
  for (scf::ForOp loop : loops)
    for (OpResult result : loop.getResults())
      if (!result.use_empty())
        if (Value stacked = createStacked(rewriter, loop, result.getResultNumber()))
          rewriter.replaceAllUsesWith(result, stacked);
}
