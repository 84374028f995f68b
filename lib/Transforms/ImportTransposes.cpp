// Reads that reverse and transpose in one: torch-mlir's filters of convolutions that go
// back to the input.
#include "ImportLinalgExt.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

/// Adds to `loops` those of `generic` that `index` is computed from, in its body.
static void collectLoops(Value index, linalg::GenericOp generic,
                         SmallPtrSetImpl<Value> &seen,
                         llvm::SmallDenseSet<int64_t> &loops) {
  Operation *op = index.getDefiningOp();
  if (!op || op->getBlock() != generic.getBody() || !seen.insert(index).second)
    return;
  if (auto loop = dyn_cast<linalg::IndexOp>(op))
    loops.insert(loop.getDim());
  for (Value operand : op->getOperands())
    collectLoops(operand, generic, seen, loops);
}

/// The loop that each index of `extract` follows, every loop once; nothing where they do
/// not. An index that follows none reads the only place of a dimension.
static std::optional<SmallVector<int64_t>> getLoops(tensor::ExtractOp extract,
                                                    linalg::GenericOp generic) {
  ArrayRef<int64_t> shape = extract.getTensor().getType().getShape();
  SmallVector<int64_t> followed(shape.size(), -1);
  llvm::SmallDenseSet<int64_t> taken;
  for (auto [dim, index] : llvm::enumerate(extract.getIndices())) {
    SmallPtrSet<Value, 8> seen;
    llvm::SmallDenseSet<int64_t> loops;
    collectLoops(index, generic, seen, loops);
    if (loops.size() > 1 || (loops.empty() && shape[dim] != 1))
      return std::nullopt;
    if (loops.empty())
      continue;
    followed[dim] = *loops.begin();
    if (!taken.insert(followed[dim]).second)
      return std::nullopt;
  }
  int64_t next = 0;
  for (int64_t &loop : followed) {
    if (loop >= 0)
      continue;
    while (taken.contains(next))
      ++next;
    loop = next++;
  }
  return followed;
}

bool sparsam::importTransposedRead(RewriterBase &rewriter, linalg::GenericOp generic) {
  if (generic->getNumResults() != 1 || generic.getNumDpsInputs() != 0 ||
      generic.getNumReductionLoops() != 0)
    return false;
  Value yielded = generic.getBody()->getTerminator()->getOperand(0);
  auto extract = yielded.getDefiningOp<tensor::ExtractOp>();
  if (!extract || !extract->hasOneUse() || extract->getBlock() != generic.getBody() ||
      !extract.getTensor().getParentRegion()->isProperAncestor(&generic.getRegion()))
    return false;
  auto type = extract.getTensor().getType();
  if (!type.hasStaticShape() ||
      type.getRank() != static_cast<int64_t>(generic.getNumLoops()))
    return false;
  auto loops = getLoops(extract, generic);
  if (!loops || llvm::is_sorted(*loops))
    return false;
  SmallVector<int64_t> permutation(loops->size()), shape(loops->size());
  SmallVector<Value> indices(loops->size());
  for (auto [dim, loop] : llvm::enumerate(*loops)) {
    permutation[loop] = dim;
    shape[loop] = type.getDimSize(dim);
    indices[loop] = extract.getIndices()[dim];
  }
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(generic);
  Location loc = generic.getLoc();
  Value empty = tensor::EmptyOp::create(rewriter, loc, shape, type.getElementType());
  Value transposed =
      linalg::TransposeOp::create(rewriter, loc, extract.getTensor(), empty, permutation)
          ->getResult(0);
  rewriter.setInsertionPoint(extract);
  rewriter.replaceOpWithNewOp<tensor::ExtractOp>(extract, transposed, indices);
  return true;
}
