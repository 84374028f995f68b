// spmm and sddmm on memrefs become calls of kernels that their structures build.
#include "sparsam/Conversion/Passes.h"
#include "sparsam/Conversion/ToCPU/CpuKernels.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_LOWERSPARSEPRODUCTSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Row-major buffers by what they are seen as: anywhere in a larger one.
using Placed = DenseMap<Value, Value>;

/// A slice of whole rows, such as a layer of a stacked parameter, seen as one at any
/// offset, so that those of all layers share a kernel; null where rows are apart.
Value getPlaced(RewriterBase &rewriter, Value buffer, Placed &placed) {
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

/// Kernels take row-major operands: any other goes through a copy, and the destination
/// back. Returns the destination's own buffer, null where it is in place.
Value makeContiguous(RewriterBase &rewriter, DestinationStyleOpInterface op,
                     Placed &placed) {
  Value destination;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = cast<MemRefType>(operand.get().getType());
    if (type.getLayout().isIdentity())
      continue;
    if (Value same = getPlaced(rewriter, operand.get(), placed)) {
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

LogicalResult lower(RewriterBase &rewriter, Operation *op, StructureInterface structure,
                    KernelLibrary &library, Placed &placed) {
  auto kernels = dyn_cast<CpuKernelInterface>(structure);
  if (!kernels)
    return op->emitOpError() << "has no kernels: " << structure
                             << " does not implement CpuKernelInterface";
  for (Type type : op->getOperandTypes()) {
    auto memref = dyn_cast<MemRefType>(type);
    if (!memref)
      return op->emitOpError()
             << "is not on memrefs; expected it after bufferization, found " << type;
    if (!memref.hasStaticShape())
      return op->emitOpError() << "needs static shapes, found " << type;
  }
  rewriter.setInsertionPoint(op);
  auto inDestinationStyle = cast<DestinationStyleOpInterface>(op);
  Value destination = makeContiguous(rewriter, inDestinationStyle, placed);
  LogicalResult lowered = isa<SpmmOp>(op)
                              ? kernels.lowerSpmm(rewriter, cast<SpmmOp>(op), library)
                              : kernels.lowerSddmm(rewriter, cast<SddmmOp>(op), library);
  if (failed(lowered))
    return failure();
  if (destination)
    linalg::CopyOp::create(rewriter, op->getLoc(),
                           inDestinationStyle.getDpsInits().front(), destination);
  rewriter.eraseOp(op);
  return success();
}

struct LowerSparseProductsPass
    : sparsam::impl::LowerSparseProductsPassBase<LowerSparseProductsPass> {
  using LowerSparseProductsPassBase::LowerSparseProductsPassBase;

  void runOnOperation() override {
    if (vectorBits != 0 && (vectorBits < 128 || !llvm::isPowerOf2_64(vectorBits))) {
      getOperation().emitError() << "vector-bits is a power of two of at least 128, or 0 "
                                    "for this machine's; found "
                                 << int64_t(vectorBits);
      return signalPassFailure();
    }
    SmallVector<std::pair<Operation *, StructureInterface>> products;
    getOperation().walk([&](Operation *op) {
      if (auto spmm = dyn_cast<SpmmOp>(op))
        products.emplace_back(op, spmm.getStructure());
      if (auto sddmm = dyn_cast<SddmmOp>(op))
        products.emplace_back(op, sddmm.getStructure());
    });
    KernelLibrary library(getOperation(), CpuTarget::get(vectorBits));
    IRRewriter rewriter(&getContext());
    Placed placed;
    for (auto [op, structure] : products) {
      if (failed(lower(rewriter, op, structure, library, placed)))
        return signalPassFailure();
      ++numProducts;
    }
  }
};

} // namespace
