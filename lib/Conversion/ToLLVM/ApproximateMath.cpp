#include "sparsam/Conversion/Passes.h"

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
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns, isAccurate);
    // Upstream's patterns take a tensor for a scalar.
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<math::MathDialect>(op->getDialect()) &&
          llvm::none_of(op->getOperandTypes(), llvm::IsaPred<TensorType>))
        ops.push_back(op);
    });
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
    // Only the patterns: canonicalization is a pass of its own.
    if (failed(applyOpPatternsGreedily(
            ops, std::move(patterns),
            GreedyRewriteConfig().enableFolding(false).setRegionSimplificationLevel(
                GreedySimplifyRegionLevel::Disabled))))
      signalPassFailure();
  }
};
} // namespace
