#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_APPLYSTRUCTUREPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

namespace {
struct ApplyStructurePass
    : mlir::sparsam::impl::ApplyStructurePassBase<ApplyStructurePass> {
  using ApplyStructurePassBase::ApplyStructurePassBase;
  void runOnOperation() override {}
};
} // namespace
