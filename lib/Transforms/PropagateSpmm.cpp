// Rule 4 of the algebra: contract(X, densify(v, i)) = SpMM.
#include "PropagateRules.h"
#include "Stacks.h"
#include "sparsam/Transforms/BuildProduct.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

struct SpmmPlan {
  Product product;
  DensifyOp weight;
  Term input;
  /// The weight's letters that are summed and those of the result, in the order of
  /// the structure's view.
  Group sum, outputs;
  Group tokens;
  /// Of each stacked dimension, which the product has in common with the input.
  Grouping stack;
  bool transposed = false;
};

} // namespace

static Group lettersOf(const Term &term, ArrayRef<int64_t> dims) {
  Group letters;
  for (int64_t dim : dims)
    llvm::append_range(letters, term.dims[dim]);
  return letters;
}

static bool containsAll(ArrayRef<Letter> set, ArrayRef<Letter> letters) {
  return llvm::all_of(letters, [&](Letter l) { return llvm::is_contained(set, l); });
}

static bool containsAny(ArrayRef<Letter> set, ArrayRef<Letter> letters) {
  return llvm::any_of(letters, [&](Letter l) { return llvm::is_contained(set, l); });
}

static bool isPattern(DensifyOp densify) {
  return densify && densify.getStructure().getKind() == StructureKind::Pattern;
}

/// Sets `why` where the product is no spmm with the densified term.
static FailureOr<SpmmPlan> planSpmm(Product product, unsigned weight, std::string &why) {
  auto refuse = [&](const char *reason) {
    why = reason;
    return failure();
  };
  if (product.terms.size() != 2 || !product.scalars.empty())
    return refuse("the product does not have exactly two operands");
  SpmmPlan plan;
  if (!isa<Float32Type, Float64Type>(
          cast<RankedTensorType>(product.terms[0].value.getType()).getElementType()))
    return refuse("its elements are neither f32 nor f64");
  plan.weight = product.terms[weight].value.getDefiningOp<DensifyOp>();
  plan.input = product.terms[1 - weight];
  if (!plan.weight.getStructure().getSlicedAxes().empty())
    return refuse("its group is not sliced in this function");
  auto view = getMatrixView(plan.weight.getStructure(), plan.weight.getType(),
                            [&] { return plan.weight.emitOpError(); });
  if (failed(view))
    return refuse("its view does not fit");
  if (dropUnitStack(plan.weight.getStructure(),
                    cast<RankedTensorType>(plan.weight.getType()).getShape()))
    return refuse("its only layer is not taken out yet");
  Group in = lettersOf(product.terms[weight], view->in);
  Group out = lettersOf(product.terms[weight], view->out);
  SmallVector<Letter> input = flatten(plan.input.dims);
  SmallVector<Letter> result = flatten(product.result);
  SmallVector<Letter> stack = lettersOf(product.terms[weight], view->stack);
  if (!containsAll(input, stack) || !containsAll(result, stack))
    return refuse("it takes several layers at once");
  for (int64_t dim : view->stack)
    plan.stack.push_back(product.terms[weight].dims[dim]);
  if (containsAll(input, in) && !containsAny(result, in) && !containsAny(input, out) &&
      containsAll(result, out)) {
    plan.sum = in;
    plan.outputs = out;
  } else if (containsAll(input, out) && !containsAny(result, out) &&
             !containsAny(input, in) && containsAll(result, in)) {
    plan.transposed = true;
    plan.sum = out;
    plan.outputs = in;
  } else {
    return refuse("it contracts neither all inputs nor all outputs of the view");
  }
  for (Letter letter : input)
    if (llvm::is_contained(result, letter) && !llvm::is_contained(stack, letter))
      plan.tokens.push_back(letter);
  plan.product = std::move(product);
  return plan;
}

/// `dims` behind the stacked dimensions.
static Grouping withStack(const Grouping &stack, Grouping dims) {
  dims.insert(dims.begin(), stack.begin(), stack.end());
  return dims;
}

/// A stacked weight has a loop over its layers.
static FailureOr<Value> buildSpmm(OpBuilder &builder, Location loc,
                                  const SpmmPlan &plan) {
  const Product &product = plan.product;
  DensifyOp weight = plan.weight;
  Grouping dims{plan.tokens, plan.outputs};
  // The weight repeats along what only the input has, as it does under a mean.
  SmallVector<Letter> kept = flatten(plan.stack);
  llvm::append_range(kept, plan.tokens);
  llvm::append_range(kept, plan.sum);
  Term input = buildSummed(builder, loc, product, plan.input, kept);
  SmallVector<Value> operands{
      buildView(builder, loc, product, input,
                withStack(plan.stack, Grouping{plan.tokens, plan.sum}))};
  llvm::append_range(operands, weight.getStorage());
  auto element = cast<RankedTensorType>(operands[0].getType()).getElementType();
  auto layer = RankedTensorType::get(product.getShape(dims), element);
  auto buildLayer = [&](OpBuilder &nested, ValueRange layer) {
    Value init = buildEmpty(nested, loc, product.getShape(dims), element);
    auto spmm =
        SpmmOp::create(nested, loc, init.getType(), layer[0], layer.drop_front(), init,
                       weight.getStructure().withView({}, {}), plan.transposed);
    return SmallVector<Value>{spmm.getResult()};
  };
  auto made = plan.stack.empty()
                  ? FailureOr<SmallVector<Value>>(buildLayer(builder, operands))
                  : createLoopOverLayers(builder, loc, product.getShape(plan.stack),
                                         operands, layer, buildLayer);
  if (failed(made))
    return failure();
  return buildView(builder, loc, product,
                   {made->front(), withStack(plan.stack, std::move(dims))},
                   product.result);
}

/// The product of `op`, read through views, where operand `weight` is a densified
/// pattern and the other is not chosen yet.
static FailureOr<std::pair<Product, unsigned>> matchDensified(Operation *op) {
  bool touches = llvm::any_of(op->getOperands(), [](Value operand) {
    return isPattern(getViewRoot(operand).getDefiningOp<DensifyOp>());
  });
  if (!touches)
    return failure();
  FailureOr<Product> product = Product::of(op);
  if (failed(product))
    return failure();
  product->absorbViews();
  for (auto [position, term] : llvm::enumerate(product->terms))
    if (isPattern(term.value.getDefiningOp<DensifyOp>()))
      return std::pair(*product, static_cast<unsigned>(position));
  return failure();
}

LogicalResult sparsam::splitInit(RewriterBase &rewriter, Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp)
    return failure();
  OpOperand *init = linalgOp.getDpsInitOperand(0);
  auto type = cast<RankedTensorType>(init->get().getType());
  rewriter.setInsertionPoint(op);
  Location loc = op->getLoc();
  Value zero = arith::ConstantOp::create(rewriter, loc,
                                         rewriter.getZeroAttr(type.getElementType()));
  Value empty = buildEmpty(rewriter, loc, type.getShape(), type.getElementType());
  Value filled = linalg::FillOp::create(rewriter, loc, zero, empty).getResult(0);
  Operation *fromZero = rewriter.clone(*op);
  fromZero->setOperand(init->getOperandNumber(), filled);
  rewriter.replaceOp(op, buildAdd(rewriter, loc, init->get(), fromZero->getResult(0)));
  return success();
}

namespace {

struct ContractDensified : RewritePattern {
  explicit ContractDensified(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    auto match = matchDensified(op);
    if (failed(match))
      return failure();
    std::string why;
    FailureOr<SpmmPlan> plan = planSpmm(match->first, match->second, why);
    if (failed(plan))
      return rewriter.notifyMatchFailure(op, why);
    if (match->first.init)
      return splitInit(rewriter, op);
    FailureOr<Value> made = buildSpmm(rewriter, op->getLoc(), *plan);
    if (succeeded(made))
      rewriter.replaceOp(op, *made);
    return made;
  }
};

} // namespace

void sparsam::populateSpmmPatterns(RewritePatternSet &patterns) {
  patterns.add<ContractDensified>(patterns.getContext());
}

std::string sparsam::explainNoSpmm(Operation *contraction, DensifyOp densify) {
  FailureOr<Product> product = Product::of(contraction);
  if (failed(product))
    return "is not a product";
  product->absorbViews();
  for (auto [position, term] : llvm::enumerate(product->terms))
    if (term.value == densify.getResult()) {
      std::string why;
      (void)planSpmm(*product, position, why);
      return why;
    }
  return "a reshape in between cuts across its dimensions";
}
