// Convolutions as products with their flattened windows (im2col), which run in BLAS.
#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_FLATTENWINDOWSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;

namespace {

struct FlattenWindowsPass : sparsam::impl::FlattenWindowsPassBase<FlattenWindowsPass> {
  using FlattenWindowsPassBase::FlattenWindowsPassBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](Operation *op) {
      rewriter.setInsertionPoint(op);
      llvm::TypeSwitch<Operation *>(op)
          .Case<linalg::Conv2DNchwFchwOp, linalg::Conv2DNhwcHwcfOp,
                linalg::Conv2DNhwcFhwcOp>([&](auto convolution) {
            if (convolution.hasPureTensorSemantics() &&
                succeeded(linalg::rewriteInIm2Col(rewriter, convolution)))
              ++numConvolutions;
          });
    });
  }
};

} // namespace
