#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_IMPORTPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

namespace {
struct ImportPass : mlir::sparsam::impl::ImportPassBase<ImportPass> {
  using ImportPassBase::ImportPassBase;
  void runOnOperation() override {}
};
} // namespace
