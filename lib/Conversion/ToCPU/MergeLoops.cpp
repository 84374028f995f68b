#include "MergeLoops.h"

#include "Buffers.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

using namespace mlir;
using namespace mlir::sparsam;

bool sparsam::areMergeable(linalg::GenericOp op, unsigned dim) {
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  if (iterators[dim] != iterators[dim + 1])
    return false;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!map.isFunctionOfDim(dim) && !map.isFunctionOfDim(dim + 1))
      continue;
    std::optional<StridedLayout> layout = getStridedLayout(operand.get().getType());
    AffineExpr outer = getAffineDimExpr(dim, op.getContext());
    AffineExpr inner = getAffineDimExpr(dim + 1, op.getContext());
    std::optional<unsigned> position = map.getResultPosition(outer);
    if (!layout || !map.isProjectedPermutation() || !position ||
        *position + 1 >= map.getNumResults() || map.getResult(*position + 1) != inner)
      return false;
    int64_t size = cast<MemRefType>(operand.get().getType()).getDimSize(*position + 1);
    if (layout->strides[*position] != layout->strides[*position + 1] * size)
      return false;
  }
  return true;
}

linalg::GenericOp sparsam::mergeLoops(RewriterBase &rewriter, linalg::GenericOp op,
                                      ArrayRef<ReassociationIndices> groups) {
  if (groups.size() == op.getNumLoops())
    return op;
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::CollapseResult> merged =
      linalg::collapseOpIterationDims(op, groups, rewriter);
  if (failed(merged))
    return op;
  rewriter.eraseOp(op);
  return cast<linalg::GenericOp>(merged->collapsedOp.getOperation());
}
