// spmm and sddmm on memrefs become calls of kernels that their structures build.
#include "MeasuredTiles.h"
#include "sparsam/Conversion/Passes.h"
#include "sparsam/Conversion/RowMajorOperands.h"
#include "sparsam/Conversion/ToCPU/CpuKernels.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_LOWERSPARSEPRODUCTSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

LogicalResult lower(RewriterBase &rewriter, Operation *op, StructureInterface structure,
                    KernelLibrary &library, RowMajorOperands &rowMajor) {
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
  if (failed(verifyTiles(op, kernels, library.target)))
    return failure();
  return rowMajor.replace(rewriter, cast<DestinationStyleOpInterface>(op), [&] {
    return isa<SpmmOp>(op) ? kernels.lowerSpmm(rewriter, cast<SpmmOp>(op), library)
                           : kernels.lowerSddmm(rewriter, cast<SddmmOp>(op), library);
  });
}

struct LowerSparseProductsPass
    : sparsam::impl::LowerSparseProductsPassBase<LowerSparseProductsPass> {
  using LowerSparseProductsPassBase::LowerSparseProductsPassBase;

  void runOnOperation() override {
    if (vectorBits != 0 && (vectorBits < 128 || !llvm::isPowerOf2_64(vectorBits))) {
      getOperation().emitError() << "vector-bits is a power of two of at least 128, or 0 "
                                    "for the CPU's; found "
                                 << int64_t(vectorBits);
      return signalPassFailure();
    }
    for (int64_t bytes : {int64_t(l1Bytes), int64_t(l2Bytes)}) {
      if (bytes >= 0)
        continue;
      getOperation().emitError() << "l1-bytes and l2-bytes are sizes of caches, or 0 for "
                                    "the CPU's; found "
                                 << bytes;
      return signalPassFailure();
    }
    if (threads < 0) {
      getOperation().emitError()
          << "threads is their number, or 0 for one a core; found " << int64_t(threads);
      return signalPassFailure();
    }
    llvm::Expected<Cpu> target = Cpu::get(cpu, getOperation());
    if (!target) {
      getOperation().emitError() << llvm::toString(target.takeError());
      return signalPassFailure();
    }
    // This machine may be another one by the time that machine code is made.
    if (!cpu.empty() && cpu != "host")
      getOperation()->setAttr(cpuAttrName, StringAttr::get(&getContext(), cpu));

    SmallVector<std::pair<Operation *, StructureInterface>> products;
    getOperation().walk([&](Operation *op) {
      if (auto spmm = dyn_cast<SpmmOp>(op))
        products.emplace_back(op, spmm.getStructure());
      if (auto sddmm = dyn_cast<SddmmOp>(op))
        products.emplace_back(op, sddmm.getStructure());
    });
    KernelLibrary library(getOperation(),
                          CpuTarget::get(*target, vectorBits, l1Bytes, l2Bytes));
    if (!tiles.empty()) {
      MeasuredTiles measured(getOperation(), tiles, *target, library.target, threads);
      for (auto [op, structure] : products)
        numTiled += measured.set(op, structure);
    }
    library.fuseEpilogues = fuseEpilogues;
    IRRewriter rewriter(&getContext());
    RowMajorOperands rowMajor;
    for (auto [op, structure] : products) {
      if (failed(lower(rewriter, op, structure, library, rowMajor)))
        return signalPassFailure();
      ++numProducts;
    }
    numEpilogues += library.epilogues;
    eraseUnread(rewriter);
  }

  /// Buffers of results that only epilogues read, and views of them.
  void eraseUnread(RewriterBase &rewriter) {
    getOperation()->walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
      bool isBuffer = isa<memref::AllocOp, ViewLikeOpInterface>(op);
      if (isBuffer && isOpTriviallyDead(op))
        rewriter.eraseOp(op);
    });
  }
};

} // namespace
