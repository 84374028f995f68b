#include "sparsam/Conversion/Passes.h"
#include "sparsam/Target/Cpu.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Diagnostics.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_EXPANDFMAPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// The type in which a product of two such numbers is exact; none for f64 and beyond.
Type getWider(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (!element.isF16() && !element.isF32())
    return {};
  OpBuilder builder(type.getContext());
  Type wider = element.isF16() ? builder.getF32Type() : builder.getF64Type();
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(wider)) : wider;
}

void expand(LLVM::FMAOp op, Type wider) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  LLVM::FastmathFlags flags = op.getFastmathFlags();
  auto extend = [&](Value value) -> Value {
    return LLVM::FPExtOp::create(builder, loc, wider, value);
  };
  Value product =
      LLVM::FMulOp::create(builder, loc, extend(op.getA()), extend(op.getB()), flags);
  Value sum = LLVM::FAddOp::create(builder, loc, product, extend(op.getC()), flags);
  op.replaceAllUsesWith(
      LLVM::FPTruncOp::create(builder, loc, op.getType(), sum).getResult());
  op.erase();
}

/// Last, when all that multiplies and adds in one, whatever it was made from, is one of
/// two operations.
struct ExpandFMAPass : sparsam::impl::ExpandFMAPassBase<ExpandFMAPass> {
  using ExpandFMAPassBase::ExpandFMAPassBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<LLVM::FMAOp, LLVM::FMulAddOp>(op))
        ops.push_back(op);
    });
    if (ops.empty())
      return;
    llvm::Expected<Cpu> cpu = Cpu::get(/*wanted=*/"", getOperation());
    if (!cpu) {
      getOperation().emitError() << llvm::toString(cpu.takeError());
      return signalPassFailure();
    }
    if (cpu->hasFusedMultiplyAdd())
      return;
    auto separate =
        llvm::find_if(ops, [](Operation *op) { return isa<LLVM::FMulAddOp>(op); });
    if (separate != ops.end())
      emitRemark((*separate)->getLoc())
          << "CPU '" << cpu->name
          << "' has no fused multiply-add: products are rounded before they are added, "
             "here and in other kernels";
    for (Operation *op : ops)
      if (auto fused = dyn_cast<LLVM::FMAOp>(op))
        if (Type wider = getWider(op->getResult(0).getType())) {
          expand(fused, wider);
          ++numExpanded;
        }
  }
};

} // namespace
