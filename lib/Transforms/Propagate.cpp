#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_PROPAGATEPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

namespace {
struct PropagatePass : mlir::sparsam::impl::PropagatePassBase<PropagatePass> {
  using PropagatePassBase::PropagatePassBase;
  void runOnOperation() override {}
};
} // namespace
