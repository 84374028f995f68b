#include "WidenProducts.h"
#include "Definitions.h"
#include "LoopCarried.h"
#include "MergedProduct.h"
#include "PropagateRules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

static bool isNarrow(Type type) {
  auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  return element && element.getWidth() < 32;
}

/// What a scalar is converted from, if it is.
static Value skipConversions(Value scalar) {
  while (Operation *op = scalar.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(op))
      break;
    scalar = op->getOperand(0);
  }
  return scalar;
}

bool sparsam::isNarrowProduct(Operation *op) {
  auto linalgOp = dyn_cast_or_null<linalg::LinalgOp>(op);
  if (!linalgOp || linalgOp.getNumDpsInputs() != 2 || linalgOp.getNumDpsInits() != 1 ||
      op->getNumResults() != 1 || !linalgOp.hasPureTensorSemantics() ||
      linalgOp.getNumReductionLoops() == 0 ||
      !llvm::any_of(op->getOperandTypes(), isNarrow) ||
      !llvm::all_of(op->getOperandTypes(), [](Type type) {
        return isa<FloatType>(getElementTypeOrSelf(type)) &&
               getElementTypeOrSelf(type).getIntOrFloatBitWidth() <= 32;
      }))
    return false;
  Block *body = linalgOp.getBlock();
  auto isArgument = [&](Value scalar, unsigned number) {
    return skipConversions(scalar) == body->getArgument(number);
  };
  Value yielded = skipConversions(body->getTerminator()->getOperand(0));
  auto add = yielded.getDefiningOp<arith::AddFOp>();
  if (!add || isArgument(add.getLhs(), 2) == isArgument(add.getRhs(), 2))
    return false;
  Value product =
      skipConversions(isArgument(add.getLhs(), 2) ? add.getRhs() : add.getLhs());
  auto multiply = product.getDefiningOp<arith::MulFOp>();
  return multiply &&
         ((isArgument(multiply.getLhs(), 0) && isArgument(multiply.getRhs(), 1)) ||
          (isArgument(multiply.getLhs(), 1) && isArgument(multiply.getRhs(), 0)));
}

/// `init` in f32; zero is made anew, where the search for products finds it.
static Value convertInit(OpBuilder &builder, Location loc, Value init) {
  Type element = builder.getF32Type();
  Value number = init;
  if (auto fill = init.getDefiningOp<linalg::FillOp>())
    number = fill.getInputs()[0];
  if (!matchPattern(number, m_AnyZeroFloat()))
    return buildConverted(builder, loc, init, element);
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
  Value empty = buildEmpty(builder, loc,
                           cast<RankedTensorType>(init.getType()).getShape(), element);
  return linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
}

Value sparsam::widenProduct(RewriterBase &rewriter, linalg::LinalgOp op) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  SmallVector<Value> inputs;
  for (Value input : op.getDpsInputs())
    inputs.push_back(buildConverted(rewriter, loc, input, rewriter.getF32Type()));
  Value init = convertInit(rewriter, loc, op.getDpsInits()[0]);
  Value wide = linalg::GenericOp::create(
                   rewriter, loc, init.getType(), inputs, init, op.getIndexingMapsArray(),
                   op.getIteratorTypesArray(),
                   [](OpBuilder &nested, Location at, ValueRange arguments) {
                     Value product =
                         arith::MulFOp::create(nested, at, arguments[0], arguments[1]);
                     Value sum = arith::AddFOp::create(nested, at, arguments[2], product);
                     linalg::YieldOp::create(nested, at, sum);
                   })
                   .getResult(0);
  rewriter.replaceOp(op,
                     buildConverted(rewriter, loc, wide,
                                    getElementTypeOrSelf(op->getResult(0).getType())));
  return wide;
}

Value sparsam::getConverted(Value value) {
  auto elementwise = matchElementwise(value.getDefiningOp());
  if (failed(elementwise) || elementwise->operands.size() != 1 ||
      elementwise->operands[0].access != ElementAccess::Same)
    return {};
  Block *body = elementwise->op.getBlock();
  Value yielded = body->getTerminator()->getOperand(0);
  return skipConversions(yielded) == body->getArgument(0) &&
                 yielded != body->getArgument(0)
             ? elementwise->operands[0].value
             : Value();
}

Value sparsam::createUnrounded(RewriterBase &rewriter, Value value) {
  Location loc = value.getLoc();
  if (!isa<RankedTensorType>(value.getType()))
    return value;
  Product product = Product::identity(value);
  product.absorbViews();
  Term term = product.terms[0];
  Operation *op = term.value.getDefiningOp();
  Value made;
  if (Value source = getConverted(term.value)) {
    made = createUnrounded(rewriter, source);
  } else if (isNarrowProduct(op)) {
    made = widenProduct(rewriter, cast<linalg::LinalgOp>(op));
  } else if (Linear linear = matchLinear(op); linear != Linear::None) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands().take_front(linear == Linear::Neg ? 1 : 2))
      operands.push_back(createUnrounded(rewriter, operand));
    if (llvm::equal(operands, op->getOperands().take_front(operands.size())) ||
        llvm::any_of(operands, [](Value operand) { return isNarrow(operand.getType()); }))
      return value;
    made = linear == Linear::Neg
               ? buildElementwise<arith::NegFOp>(rewriter, loc, operands)
           : linear == Linear::Add
               ? buildElementwise<arith::AddFOp>(rewriter, loc, operands)
               : buildElementwise<arith::SubFOp>(rewriter, loc, operands);
  }
  if (!made || made == term.value || isNarrow(made.getType()))
    return value;
  return buildView(rewriter, loc, product, {made, term.dims}, product.result);
}

//===----------------------------------------------------------------------===//
// As rules
//===----------------------------------------------------------------------===//

namespace {

/// A narrow product with a densified pattern.
struct WidenDensified : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op,
                                PatternRewriter &rewriter) const override {
    bool touches = llvm::any_of(op->getOperands(), [](Value operand) {
      return getViewRoot(operand).getDefiningOp<DensifyOp>();
    });
    if (!touches || !isNarrowProduct(op))
      return rewriter.notifyMatchFailure(op, "not a narrow product with a parameter");
    widenProduct(rewriter, op);
    return success();
  }
};

/// A narrow product of which the entries on a pattern are needed.
struct WidenRestricted : OpRewritePattern<RestrictOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RestrictOp op, PatternRewriter &rewriter) const override {
    Operation *product = getViewRoot(op.getSource()).getDefiningOp();
    if (!isNarrowProduct(product))
      return rewriter.notifyMatchFailure(op, "the source is no narrow product");
    widenProduct(rewriter, cast<linalg::LinalgOp>(product));
    return success();
  }
};

} // namespace

void sparsam::populateWidenPatterns(RewritePatternSet &patterns) {
  patterns.add<WidenDensified, WidenRestricted>(patterns.getContext());
}

void sparsam::widenFactorProducts(func::FuncOp function,
                                  function_ref<bool(Operation *)> isDefinition) {
  IRRewriter rewriter(function.getContext());
  auto isOfDefinition = [&](Value value) {
    return reachesDefinition(value, isDefinition);
  };
  SmallVector<linalg::LinalgOp> products;
  SmallVector<EinsumOp> einsums;
  function.walk([&](Operation *op) {
    if (auto einsum = dyn_cast<EinsumOp>(op))
      einsums.push_back(einsum);
    else if (isNarrowProduct(op) && llvm::any_of(op->getOperands(), isOfDefinition))
      products.push_back(cast<linalg::LinalgOp>(op));
  });
  for (linalg::LinalgOp op : products) {
    Operation *wide = widenProduct(rewriter, op).getDefiningOp();
    rewriter.setInsertionPoint(wide);
    for (OpOperand &operand : wide->getOpOperands())
      if (isOfDefinition(operand.get()))
        operand.set(createUnrounded(rewriter, operand.get()));
  }
  for (EinsumOp op : einsums)
    for (OpOperand &operand : op->getOpOperands()) {
      rewriter.setInsertionPoint(op);
      operand.set(createUnrounded(rewriter, operand.get()));
    }
  // The rounded parameter would look like a reason to form it.
  eraseUnused(function);
}
