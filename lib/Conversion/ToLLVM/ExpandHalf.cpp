#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_EXPANDHALFPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;

namespace {

Type withElement(Type type, Type element) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped ? shaped.clone(element) : element;
}

Value createConstant(OpBuilder &builder, Location loc, Type type, int64_t value) {
  TypedAttr attribute = builder.getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    attribute = DenseElementsAttr::get(shaped, attribute);
  return arith::ConstantOp::create(builder, loc, attribute);
}

/// f64 to f32, an inexact result to the neighbour whose last bit is one. Narrower types
/// round such a number as they round the f64 (Boldo and Melquiond 2008, "Emulation of a
/// FMA and correctly rounded sums: proved algorithms using rounding to odd").
Value createRoundToOdd(OpBuilder &builder, Location loc, Value value) {
  Type wide = value.getType(), narrow = withElement(wide, builder.getF32Type());
  Type integer = withElement(wide, builder.getI32Type());
  Value nearest = arith::TruncFOp::create(builder, loc, narrow, value);
  Value back = arith::ExtFOp::create(builder, loc, wide, nearest);
  Value bits = arith::BitcastOp::create(builder, loc, integer, nearest);
  Value one = createConstant(builder, loc, integer, 1);

  // Towards zero, which from infinity leads to the largest number.
  auto away = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT,
                                    math::AbsFOp::create(builder, loc, back),
                                    math::AbsFOp::create(builder, loc, value));
  Value lower = arith::SubIOp::create(builder, loc, bits, one);
  bits = arith::SelectOp::create(builder, loc, away, lower, bits);
  auto inexact =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::ONE, back, value);
  Value odd = arith::OrIOp::create(builder, loc, bits, one);
  bits = arith::SelectOp::create(builder, loc, inexact, odd, bits);
  return arith::BitcastOp::create(builder, loc, narrow, bits);
}

struct TruncateThroughF32 : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &rewriter) const override {
    Type to = getElementTypeOrSelf(op.getType());
    if (!getElementTypeOrSelf(op.getIn().getType()).isF64() ||
        !(to.isBF16() || to.isF16()))
      return failure();
    auto mode = op.getRoundingmode();
    if (mode && *mode != arith::RoundingMode::to_nearest_even)
      return failure();
    Value odd = createRoundToOdd(rewriter, op.getLoc(), op.getIn());
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, op.getType(), odd);
    return success();
  }
};

struct ExtendThroughF32 : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op,
                                PatternRewriter &rewriter) const override {
    Type single = withElement(op.getType(), rewriter.getF32Type());
    if (!getElementTypeOrSelf(op.getIn().getType()).isBF16() || op.getType() == single)
      return failure();
    Value exact = arith::ExtFOp::create(rewriter, op.getLoc(), single, op.getIn());
    rewriter.replaceOpWithNewOp<arith::ExtFOp>(op, op.getType(), exact);
    return success();
  }
};

/// Integers have more bits than f32, through which they would be rounded twice.
template <typename OpTy> struct ConvertThroughF64 : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isBF16())
      return failure();
    Type wide = withElement(op.getType(), rewriter.getF64Type());
    Value exact = OpTy::create(rewriter, op.getLoc(), wide, op.getIn());
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, op.getType(), exact);
    return success();
  }
};

struct ExpandHalfPass : sparsam::impl::ExpandHalfPassBase<ExpandHalfPass> {
  using ExpandHalfPassBase::ExpandHalfPassBase;

  void runOnOperation() override {
    // Each of these sees what the one before it made.
    if (failed(extendMath()))
      return signalPassFailure();
    rewrite([](RewritePatternSet &patterns) {
      patterns
          .add<ConvertThroughF64<arith::SIToFPOp>, ConvertThroughF64<arith::UIToFPOp>>(
              patterns.getContext());
    });
    if (failed(extendArithmetic()))
      return signalPassFailure();
    rewrite([](RewritePatternSet &patterns) {
      patterns.add<TruncateThroughF32, ExtendThroughF32>(patterns.getContext());
    });
    rewrite(arith::populateExpandBFloat16Patterns);
    forbidContraction();
  }

private:
  void rewrite(llvm::function_ref<void(RewritePatternSet &)> populate) {
    RewritePatternSet patterns(&getContext());
    populate(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }

  /// Upstream lets what it adds be contracted, by which the rounding between two
  /// functions would vanish. (LLVM's own conversions do not take the flag either.)
  void forbidContraction() {
    getOperation()->walk([](Operation *op) {
      if (isa<arith::ExtFOp, arith::TruncFOp>(op))
        op->removeAttr(cast<arith::ArithFastMathInterface>(op).getFastMathAttrName());
    });
  }

  LogicalResult extendMath() {
    auto single = Float32Type::get(&getContext());
    SetVector<Type> supported;
    supported.insert(single);
    supported.insert(Float64Type::get(&getContext()));
    TypeConverter converter;
    math::populateExtendToSupportedTypesTypeConverter(converter, supported, single);
    ConversionTarget target(getContext());
    math::populateExtendToSupportedTypesConversionTarget(target, converter);
    RewritePatternSet patterns(&getContext());
    math::populateExtendToSupportedTypesPatterns(patterns, converter);
    return applyPartialConversion(getOperation(), target, std::move(patterns));
  }

  LogicalResult extendArithmetic() {
    TypeConverter converter;
    arith::populateEmulateUnsupportedFloatsConversions(
        converter, {BFloat16Type::get(&getContext())}, Float32Type::get(&getContext()));
    ConversionTarget target(getContext());
    arith::populateEmulateUnsupportedFloatsLegality(target, converter);
    RewritePatternSet patterns(&getContext());
    arith::populateEmulateUnsupportedFloatsPatterns(patterns, converter);
    return applyPartialConversion(getOperation(), target, std::move(patterns));
  }
};
} // namespace
