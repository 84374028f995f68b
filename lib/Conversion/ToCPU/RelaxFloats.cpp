#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_RELAXFLOATSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;

using Flags = arith::FastMathFlags;

static void addFlags(arith::ArithFastMathInterface op, Flags flags) {
  auto present = op.getFastMathFlagsAttr();
  auto wanted = present ? present.getValue() | flags : flags;
  op->setAttr(op.getFastMathAttrName(),
              arith::FastMathFlagsAttr::get(op->getContext(), wanted));
}

/// Sums over loops may be taken in any order; what is computed for each element, as
/// (a + c) - c, may not.
static void relaxReduction(linalg::LinalgOp op) {
  SmallVector<Value> sums(op.getRegionOutputArgs());
  DenseSet<Operation *> seen;
  while (!sums.empty())
    for (Operation *user : sums.pop_back_val().getUsers())
      if (seen.insert(user).second) {
        if (auto relaxed = dyn_cast<arith::ArithFastMathInterface>(user))
          addFlags(relaxed, Flags::reassoc);
        llvm::append_range(sums, user->getResults());
      }
}

namespace {
struct RelaxFloatsPass : sparsam::impl::RelaxFloatsPassBase<RelaxFloatsPass> {
  using RelaxFloatsPassBase::RelaxFloatsPassBase;

  void runOnOperation() override {
    getOperation()->walk([&](Operation *op) {
      if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
          linalgOp && linalgOp.getNumReductionLoops() > 0)
        relaxReduction(linalgOp);
      auto relaxed = dyn_cast<arith::ArithFastMathInterface>(op);
      // Rounding to a narrow type is asked for: contracted, it would vanish.
      if (!relaxed || isa<arith::ExtFOp, arith::TruncFOp>(op))
        return;
      // Not arcp and afn: estimates of 1 / x and 1 / sqrt(x) are NaN at zero.
      addFlags(relaxed, Flags::contract | Flags::nsz);
      // The sum of a vector's lanes.
      if (isa<vector::ReductionOp>(op))
        addFlags(relaxed, Flags::reassoc);
    });
  }
};
} // namespace
