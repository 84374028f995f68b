#include "TensorOps.h"

#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparsam;

bool cpu::isReshape(Operation *op) {
  return isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op);
}

Value cpu::lookThroughReshapes(Value value) {
  while (cpu::isReshape(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value;
}

bool cpu::isElementwise(linalg::GenericOp op) {
  return op.getNumLoops() == op.getNumParallelLoops();
}

bool cpu::isMultiplyAdd(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1)
    return false;
  Block &body = *op.getBlock();
  Value a = body.getArgument(0), b = body.getArgument(1), c = body.getArgument(2);
  auto sum = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!sum || (sum.getLhs() != c && sum.getRhs() != c))
    return false;
  Value addend = sum.getLhs() == c ? sum.getRhs() : sum.getLhs();
  auto product = addend.getDefiningOp<arith::MulFOp>();
  if (!product)
    return false;
  auto lookThroughExtensions = [](Value value) {
    while (auto extension = value.getDefiningOp<arith::ExtFOp>())
      value = extension.getIn();
    return value;
  };
  Value left = lookThroughExtensions(product.getLhs());
  Value right = lookThroughExtensions(product.getRhs());
  // A square has one operand to read and is no product of two matrices.
  return (left == a && right == b) || (left == b && right == a);
}

bool cpu::isContraction(linalg::GenericOp op) {
  if (!isMultiplyAdd(op) || op.getNumReductionLoops() == 0)
    return false;
  for (AffineMap map : op.getIndexingMapsArray())
    if (!map.isProjectedPermutation())
      return false;
  FailureOr<linalg::ContractionDimensions> dims = linalg::inferContractionDims(op);
  return succeeded(dims) && !dims->m.empty() && !dims->n.empty() && !dims->k.empty();
}

bool cpu::isPermutingCopy(linalg::GenericOp op) {
  if (!isElementwise(op) || op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1)
    return false;
  Block &body = op.getRegion().front();
  if (!isa<RankedTensorType>(op.getDpsInputs()[0].getType()) ||
      body.getTerminator()->getOperand(0) != body.getArgument(0))
    return false;
  return llvm::all_of(op.getIndexingMapsArray(),
                      [](AffineMap map) { return map.isPermutation(); });
}

/// The loops of `group` in the order in which `map` accesses them, and whether no
/// other loop comes between them.
static bool isAdjacent(AffineMap map, ArrayRef<unsigned> group,
                       SmallVectorImpl<unsigned> &order) {
  std::optional<unsigned> last;
  bool adjacent = true;
  for (unsigned i = 0; i < map.getNumResults(); ++i) {
    unsigned loop = map.getDimPosition(i);
    if (!llvm::is_contained(group, loop))
      continue;
    adjacent &= !last || *last + 1 == i;
    last = i;
    order.push_back(loop);
  }
  return adjacent;
}

bool cpu::isGemm(linalg::GenericOp contraction, ArrayRef<AffineMap> maps) {
  FailureOr<linalg::ContractionDimensions> dims =
      linalg::inferContractionDims(contraction);
  if (failed(dims))
    return false;
  for (const SmallVector<unsigned, 2> &group : {dims->m, dims->n, dims->k}) {
    SmallVector<unsigned> first;
    for (AffineMap map : maps) {
      SmallVector<unsigned> order;
      if (!isAdjacent(map, group, order))
        return false;
      if (order.empty())
        continue;
      if (first.empty())
        first = order;
      if (first != order)
        return false;
    }
  }
  return llvm::none_of(maps, [&](AffineMap map) {
    return llvm::is_contained(dims->batch, map.getDimPosition(map.getNumResults() - 1));
  });
}
