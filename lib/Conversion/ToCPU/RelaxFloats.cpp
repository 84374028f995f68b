#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_RELAXFLOATSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;

namespace {
struct RelaxFloatsPass : sparsam::impl::RelaxFloatsPassBase<RelaxFloatsPass> {
  using RelaxFloatsPassBase::RelaxFloatsPassBase;

  void runOnOperation() override {
    // Not nnan and ninf: models mask with infinities and users look for NaN.
    auto flags = arith::FastMathFlags::reassoc | arith::FastMathFlags::contract |
                 arith::FastMathFlags::nsz | arith::FastMathFlags::arcp |
                 arith::FastMathFlags::afn;
    getOperation()->walk([&](arith::ArithFastMathInterface op) {
      // Rounding to a narrow type is asked for: contracted, it would vanish.
      if (isa<arith::ExtFOp, arith::TruncFOp>(op))
        return;
      auto present = op.getFastMathFlagsAttr();
      auto wanted = present ? present.getValue() | flags : flags;
      op->setAttr(op.getFastMathAttrName(),
                  arith::FastMathFlagsAttr::get(&getContext(), wanted));
    });
  }
};
} // namespace
