// Windows over more than they read. Named convolutions and poolings may leave rows at the
// end of their input unread (a window of 3 with stride 2 over 4); upstream's patterns
// that drop dimensions of size one make plain dimensions of such windows, which must fit.
#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_CROPWINDOWSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using linalg::LinalgOp;

namespace {

/// How many entries an expression reads, from the first on, where it is a sum of loops
/// that count up; none for anything else.
std::optional<int64_t> getExtent(AffineExpr expr, ArrayRef<int64_t> ranges) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return ranges[dim.getPosition()];
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  std::optional<int64_t> lhs = getExtent(binary.getLHS(), ranges);
  if (!lhs)
    return std::nullopt;
  if (binary.getKind() == AffineExprKind::Mul) {
    auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (!factor || factor.getValue() <= 0)
      return std::nullopt;
    return (*lhs - 1) * factor.getValue() + 1;
  }
  std::optional<int64_t> rhs = getExtent(binary.getRHS(), ranges);
  if (!rhs || binary.getKind() != AffineExprKind::Add)
    return std::nullopt;
  return *lhs + *rhs - 1;
}

struct CropWindowsPass : sparsam::impl::CropWindowsPassBase<CropWindowsPass> {
  using CropWindowsPassBase::CropWindowsPassBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](LinalgOp op) {
      if (!op.hasPureTensorSemantics() || op.hasDynamicShape())
        return;
      SmallVector<int64_t> ranges = op.getStaticLoopRanges();
      // A dimension of no entries reads nothing, which the extents do not count.
      if (llvm::is_contained(ranges, 0))
        return;
      for (OpOperand *operand : op.getDpsInputOperands())
        crop(rewriter, op, *operand, ranges);
    });
  }

private:
  void crop(IRRewriter &rewriter, LinalgOp op, OpOperand &operand,
            ArrayRef<int64_t> ranges) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type)
      return;
    SmallVector<int64_t> shape(type.getShape());
    for (auto [size, expr] :
         llvm::zip_equal(shape, op.getMatchingIndexingMap(&operand).getResults()))
      if (std::optional<int64_t> extent = getExtent(expr, ranges))
        size = std::min(size, *extent);
    if (shape == type.getShape())
      return;
    rewriter.setInsertionPoint(op);
    auto attrs = [&](ArrayRef<int64_t> values) {
      return getAsIndexOpFoldResult(op.getContext(), values);
    };
    SmallVector<int64_t> zeros(shape.size(), 0), ones(shape.size(), 1);
    Value cropped = tensor::ExtractSliceOp::create(
        rewriter, op.getLoc(), operand.get(), attrs(zeros), attrs(shape), attrs(ones));
    rewriter.modifyOpInPlace(op, [&] { operand.set(cropped); });
    ++numOperands;
  }
};

} // namespace
