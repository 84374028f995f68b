#include "sparsam/Analysis/Flops.h"
#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_COUNTFLOPSPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

struct CountFlopsPass : mlir::sparsam::impl::CountFlopsPassBase<CountFlopsPass> {
  using CountFlopsPassBase::CountFlopsPassBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        report(function);
    markAllAnalysesPreserved();
  }

private:
  void report(func::FuncOp function) {
    FlopCount count = countFlops(function);
    numContractions += count.contractions;
    numConvolutions += count.convolutions;
    numEinsums += count.einsums;
    numSpmm += count.spmm;
    numSddmm += count.sddmm;
    InFlightDiagnostic remark = function.emitRemark()
                                << "@" << function.getName() << " has "
                                << count.getTotal() << " FLOPs in products";
    StringRef separator = ": ";
    for (auto [name, flops] : FlopCount::getKinds())
      if (count.*flops) {
        remark << separator << name << " " << count.*flops;
        separator = ", ";
      }
  }
};

} // namespace
