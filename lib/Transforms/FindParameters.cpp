#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_FINDPARAMETERSPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

namespace {
struct FindParametersPass
    : mlir::sparsam::impl::FindParametersPassBase<FindParametersPass> {
  using FindParametersPassBase::FindParametersPassBase;
  void runOnOperation() override {}
};
} // namespace
