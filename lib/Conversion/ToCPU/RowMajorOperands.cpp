#include "sparsam/Conversion/RowMajorOperands.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace mlir::sparsam;

/// Null where rows are apart.
Value RowMajorOperands::getPlaced(RewriterBase &rewriter, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) ||
      strides != computeSuffixProduct(type.getShape()))
    return {};
  auto layout = StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides);
  auto anywhere = MemRefType::get(type.getShape(), type.getElementType(), layout,
                                  type.getMemorySpace());
  if (type == anywhere)
    return buffer;
  Value &made = placed[buffer];
  if (!made) {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointAfterValue(buffer);
    made = memref::CastOp::create(rewriter, buffer.getLoc(), anywhere, buffer);
  }
  return made;
}

Value RowMajorOperands::makeRowMajor(RewriterBase &rewriter,
                                     DestinationStyleOpInterface op) {
  Value destination;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = cast<MemRefType>(operand.get().getType());
    if (type.getLayout().isIdentity())
      continue;
    if (Value same = getPlaced(rewriter, operand.get())) {
      rewriter.modifyOpInPlace(op, [&] { operand.set(same); });
      continue;
    }
    auto plain = MemRefType::get(type.getShape(), type.getElementType());
    Value copy = memref::AllocOp::create(rewriter, op.getLoc(), plain, ValueRange(),
                                         rewriter.getI64IntegerAttr(64));
    if (op.isDpsInit(&operand))
      destination = operand.get();
    else
      linalg::CopyOp::create(rewriter, op.getLoc(), operand.get(), copy);
    rewriter.modifyOpInPlace(op, [&] { operand.set(copy); });
    op->emitRemark() << "copies operand " << operand.getOperandNumber()
                     << ", whose layout is " << type.getLayout();
  }
  return destination;
}

LogicalResult RowMajorOperands::replace(RewriterBase &rewriter,
                                        DestinationStyleOpInterface op,
                                        function_ref<LogicalResult()> lower) {
  rewriter.setInsertionPoint(op);
  Value destination = makeRowMajor(rewriter, op);
  if (failed(lower()))
    return failure();
  if (destination)
    linalg::CopyOp::create(rewriter, op.getLoc(), op.getDpsInits().front(), destination);
  rewriter.eraseOp(op);
  return success();
}
