#include "sparsam/Conversion/Passes.h"
#include "sparsam/Target/Cpu.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_APPROXIMATEMATHPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using sparsam::Cpu;

/// Polynomials of upstream that lose digits, or infinities, where libm does not: sin and
/// cos of large arguments and of values near zero; atan by 40 units in the last place;
/// cbrt of infinities and subnormal numbers; and rsqrt of a vector becomes the machine's
/// estimate, an operation of another dialect.
static bool isAccurate(StringRef name) {
  static const StringRef inaccurate[] = {
      math::SinOp::getOperationName(),  math::CosOp::getOperationName(),
      math::AtanOp::getOperationName(), math::Atan2Op::getOperationName(),
      math::CbrtOp::getOperationName(), math::RsqrtOp::getOperationName()};
  return !llvm::is_contained(inaccurate, name);
}

/// Functions whose polynomials lose digits, tanh its limits too, where a product is
/// rounded before the sum.
static bool needsFusion(Operation *op) {
  return isa<math::LogOp, math::TanhOp, math::ErfOp, math::ErfcOp>(op);
}

static void separate(math::FmaOp op) {
  OpBuilder builder(op);
  auto flags = op.getFastmathAttr();
  Value product =
      arith::MulFOp::create(builder, op.getLoc(), op.getA(), op.getB(), flags);
  op.replaceAllUsesWith(
      arith::AddFOp::create(builder, op.getLoc(), product, op.getC(), flags).getResult());
  op.erase();
}

static Value createConstant(OpBuilder &builder, Location loc, Type type, double value) {
  TypedAttr attribute = builder.getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    attribute = DenseElementsAttr::get(shaped, attribute);
  return arith::ConstantOp::create(builder, loc, attribute);
}

/// Lets a logarithm, of `octave` for an octave, see no subnormal numbers, which its
/// polynomial takes for the smallest normal one: log(x) = log(2^24 x) - 24 log(2).
static void scaleSubnormals(Operation *op, double octave) {
  constexpr int octaves = 24;
  OpBuilder builder(op);
  Location loc = op->getLoc();
  Value x = op->getOperand(0), result = op->getResult(0);
  Type type = x.getType();
  auto isSmall = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, x,
                                       createConstant(builder, loc, type, 0x1p-126));
  auto scaled = arith::MulFOp::create(
      builder, loc, x, createConstant(builder, loc, type, std::ldexp(1.0, octaves)));
  op->setOperand(0, arith::SelectOp::create(builder, loc, isSmall, scaled, x));
  builder.setInsertionPointAfter(op);
  Value shifted = arith::SubFOp::create(
      builder, loc, result, createConstant(builder, loc, type, octaves * octave));
  Value either = arith::SelectOp::create(builder, loc, isSmall, shifted, result);
  SmallPtrSet<Operation *, 2> own{shifted.getDefiningOp(), either.getDefiningOp()};
  result.replaceAllUsesExcept(either, own);
}

/// Gives the result of an odd function the sign of its argument, which its polynomial
/// takes from a zero.
static void keepSign(Operation *op) {
  OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  Value result = op->getResult(0);
  auto both = math::CopySignOp::create(builder, op->getLoc(), result, op->getOperand(0));
  result.replaceAllUsesExcept(both, both);
}

namespace {
struct ApproximateMathPass : sparsam::impl::ApproximateMathPassBase<ApproximateMathPass> {
  using ApproximateMathPassBase::ApproximateMathPassBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops = find([](Operation *) { return true; });
    for (Operation *op : ops) {
      if (!getElementTypeOrSelf(op->getResult(0)).isF32())
        continue;
      if (isa<math::LogOp>(op))
        scaleSubnormals(op, llvm::numbers::ln2);
      else if (isa<math::Log2Op>(op))
        scaleSubnormals(op, 1);
      else if (isa<math::ErfOp>(op))
        keepSign(op);
    }
    if (failed(ops.empty() ? success() : approximate(ops)))
      signalPassFailure();
  }

private:
  SmallVector<Operation *> find(llvm::function_ref<bool(Operation *)> isWanted) {
    // Upstream's patterns take a tensor for a scalar.
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<math::MathDialect>(op->getDialect()) && isWanted(op) &&
          llvm::none_of(op->getOperandTypes(), llvm::IsaPred<TensorType>))
        ops.push_back(op);
    });
    return ops;
  }

  LogicalResult approximate(ArrayRef<Operation *> ops) {
    auto module = dyn_cast<ModuleOp>(getOperation());
    if (!module)
      module = getOperation()->getParentOfType<ModuleOp>();
    llvm::Expected<Cpu> cpu = module ? Cpu::get(/*wanted=*/"", module) : Cpu::get("host");
    if (!cpu)
      return getOperation()->emitError() << llvm::toString(cpu.takeError());
    if (cpu->hasFusedMultiplyAdd())
      return applyPatterns(ops);
    DenseSet<Operation *> before;
    getOperation()->walk([&](math::FmaOp op) { before.insert(op); });
    if (failed(applyPatterns(find([](Operation *op) { return !needsFusion(op); }))))
      return failure();
    getOperation()->walk([&](math::FmaOp op) {
      if (!before.contains(op))
        separate(op);
    });
    // Found again: what nothing reads is gone.
    return applyPatterns(find(needsFusion));
  }

  LogicalResult applyPatterns(ArrayRef<Operation *> ops) {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns, isAccurate);
    // Only the patterns: canonicalization is a pass of its own.
    return applyOpPatternsGreedily(
        ops, std::move(patterns),
        GreedyRewriteConfig().enableFolding(false).setRegionSimplificationLevel(
            GreedySimplifyRegionLevel::Disabled));
  }
};
} // namespace
