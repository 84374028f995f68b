#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_EXPANDSTORAGEPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

namespace {
struct ExpandStoragePass : mlir::sparsam::impl::ExpandStoragePassBase<ExpandStoragePass> {
  using ExpandStoragePassBase::ExpandStoragePassBase;
  void runOnOperation() override {}
};
} // namespace
