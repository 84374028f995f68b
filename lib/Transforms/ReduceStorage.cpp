// Rule 3, full reductions: the reduction runs on storage, and what it would have met
// where nothing is stored is added at once.
//
// The sum of f over a densified tensor of D elements of which S are stored is the sum
// over the stored ones plus (D - S) * f(0); a maximum, which is idempotent, meets
// f(0) once. What the step does with the result, as dividing a mean by D, stays.
#include "OffPattern.h"
#include "Rules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparsam;

/// `value` off the pattern, as a tensor of one element; null where there is none
/// such. `cache` keeps shared work shared.
static Value materialize(OpBuilder &builder, Value value, OffPatternAnalysis &analysis,
                         DenseMap<Value, Value> &cache) {
  if (Value done = cache.lookup(value))
    return done;
  auto type = cast<RankedTensorType>(value.getType());
  OffPattern known = analysis.evaluate(value);
  if (known.constant) {
    auto scalar = RankedTensorType::get({}, type.getElementType());
    return cache[value] = arith::ConstantOp::create(
               builder, value.getLoc(), DenseElementsAttr::get(scalar, known.constant));
  }
  if (Value uniform = remakeUniform(builder, value, {}))
    return cache[value] = uniform;
  auto elementwise = matchElementwise(value.getDefiningOp());
  if (failed(elementwise) || !known.isUniform)
    return {};
  SmallVector<Value> operands;
  for (const ElementwiseOperand &operand : elementwise->operands)
    operands.push_back(operand.access == ElementAccess::Scalar
                           ? operand.value
                           : materialize(builder, operand.value, analysis, cache));
  if (llvm::is_contained(operands, Value()))
    return {};
  return cache[value] = cloneElementwise(builder, *elementwise, operands, {});
}

/// One element: what `reduction` combines for each place off the pattern.
static Value materializeTerm(OpBuilder &builder, const FullReduction &reduction,
                             const OffPattern &term, OffPatternAnalysis &analysis) {
  linalg::LinalgOp op = reduction.op;
  if (term.constant) {
    auto scalar = RankedTensorType::get({}, term.constant.getType());
    return arith::ConstantOp::create(builder, op.getLoc(),
                                     DenseElementsAttr::get(scalar, term.constant));
  }
  DenseMap<Value, Value> cache;
  SmallVector<Value> inputs;
  for (Value input : op.getDpsInputs())
    inputs.push_back(materialize(builder, input, analysis, cache));
  if (llvm::is_contained(inputs, Value()))
    return {};
  return cloneTerm(builder, reduction, inputs);
}

/// `term` combined `count` times: multiplied for a sum, itself otherwise.
static Value repeatTerm(OpBuilder &builder, const FullReduction &reduction, Value term,
                        int64_t count) {
  if (!isa<arith::AddFOp, arith::AddIOp>(reduction.combiner))
    return term;
  Location loc = term.getLoc();
  auto type = cast<RankedTensorType>(term.getType());
  Type element = type.getElementType();
  TypedAttr factor = isa<FloatType>(element)
                         ? TypedAttr(builder.getFloatAttr(element, count))
                         : TypedAttr(builder.getIntegerAttr(element, count));
  Value times = arith::ConstantOp::create(builder, loc, factor);
  Value init = tensor::EmptyOp::create(builder, loc, type.getShape(), element);
  SmallVector<AffineMap> maps(2, builder.getMultiDimIdentityMap(0));
  return linalg::GenericOp::create(
             builder, loc, type, term, init, maps, ArrayRef<utils::IteratorType>{},
             [&](OpBuilder &nested, Location loc, ValueRange arguments) {
               Value product;
               if (isa<FloatType>(element))
                 product = arith::MulFOp::create(nested, loc, arguments[0], times);
               else
                 product = arith::MulIOp::create(nested, loc, arguments[0], times);
               linalg::YieldOp::create(nested, loc, product);
             })
      .getResult(0);
}

/// Whether combining with `constant` any number of times changes nothing.
static bool isNeutral(Operation *combiner, TypedAttr constant) {
  if (isa<arith::AddFOp, arith::AddIOp, arith::OrIOp>(combiner))
    return OffPattern{constant, true}.isZero();
  if (auto real = dyn_cast_or_null<FloatAttr>(constant);
      real && isa<arith::MulFOp>(combiner))
    return real.getValue().isExactlyValue(1.0);
  return false;
}

namespace {

struct ReduceDensified : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op,
                                PatternRewriter &rewriter) const override {
    auto reduction = matchFullReduction(op);
    if (failed(reduction))
      return rewriter.notifyMatchFailure(op, "not a full reduction");
    std::optional<StoredPattern> pattern;
    for (Value input : op.getDpsInputs())
      if (!pattern)
        pattern = findPattern(input);
    if (!pattern)
      return rewriter.notifyMatchFailure(op, "nothing is densified on a pattern");
    OffPatternAnalysis analysis(*pattern);
    SmallVector<OffPattern> arguments;
    for (Value input : op.getDpsInputs())
      arguments.push_back(analysis.evaluate(input));
    arguments.push_back({}); // the accumulator, on which no term depends
    OffPattern term = analysis.evaluateBody(op, arguments, reduction->term);
    bool isFree = isNeutral(reduction->combiner, term.constant);
    if (!isFree && isa<arith::MulFOp>(reduction->combiner))
      return rewriter.notifyMatchFailure(op, "a product over unstored elements");
    Value correction;
    if (!isFree) {
      if (!term.isUniform)
        return rewriter.notifyMatchFailure(op, "unstored elements differ");
      correction = materializeTerm(rewriter, *reduction, term, analysis);
      if (!correction)
        return rewriter.notifyMatchFailure(op, "unstored elements are not computable");
    }
    int64_t dense = 0, stored = 0;
    SmallVector<Value> inputs;
    SmallVector<int64_t> shape;
    for (Value input : op.getDpsInputs()) {
      auto values = getOrCreateRestrict(rewriter, op.getLoc(), input, *pattern);
      inputs.push_back(values);
      dense = cast<RankedTensorType>(input.getType()).getNumElements();
      stored = values.getValues().getType().getNumElements();
      shape = llvm::to_vector(values.getValues().getType().getShape());
    }
    Value result =
        cloneReduction(rewriter, *reduction, inputs, op.getDpsInits()[0], shape);
    if (correction && dense > stored)
      result =
          createCombined(rewriter, op.getLoc(), reduction->combiner, result,
                         repeatTerm(rewriter, *reduction, correction, dense - stored));
    rewriter.replaceOp(op, result);
    return success();
  }
};

} // namespace

void sparsam::populateReduceStoragePatterns(RewritePatternSet &patterns) {
  patterns.add<ReduceDensified>(patterns.getContext());
}

void sparsam::populateStorageElementwisePatterns(RewritePatternSet &patterns) {
  populateRestrictUpPatterns(patterns);
  populateDensifyDownPatterns(patterns);
  populateReduceStoragePatterns(patterns);
  populateLayerPatterns(patterns);
  populateLoopPatterns(patterns);
}
