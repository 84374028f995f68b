// Rule 5 of the algebra: restrict(contract(A, B), i) = SDDMM. What only one of A and B is
// summed over is summed first.
#include "PropagateRules.h"
#include "Stacks.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

/// restrict as a product of one term: the source in the K x N view, behind the stacked
/// dimensions.
static FailureOr<Product> matrixOf(RestrictOp op) {
  auto view = getMatrixView(op.getStructure(), op.getSource().getType(),
                            [&] { return op.emitOpError(); });
  if (failed(view))
    return failure();
  Product product = Product::identity(op.getSource());
  product.result.clear();
  for (int64_t dim : view->stack)
    product.result.push_back(product.terms[0].dims[dim]);
  size_t in = product.result.size(), out = in + 1;
  product.result.resize(out + 1);
  for (int64_t dim : view->in)
    llvm::append_range(product.result[in], product.terms[0].dims[dim]);
  for (int64_t dim : view->out)
    llvm::append_range(product.result[out], product.terms[0].dims[dim]);
  product.absorbViews();
  return product;
}

namespace {
struct SddmmPlan {
  Product product;
  Operation *contraction = nullptr;
  Term lhs, rhs;
  Group tokens;
  /// Of each stacked dimension, which the product has in common with both operands.
  Grouping stack;

  const Group &getIn() const { return product.result[stack.size()]; }
  const Group &getOut() const { return product.result[stack.size() + 1]; }
};
} // namespace

static FailureOr<SddmmPlan> planSddmm(RestrictOp op, std::string &why) {
  auto refuse = [&](const char *reason) {
    why = reason;
    return failure();
  };
  if (!op.getStructure().getSlicedAxes().empty())
    return refuse("its group is not sliced in this function");
  if (dropUnitStack(op.getStructure(), op.getSource().getType().getShape()))
    return refuse("its only layer is not taken out yet");
  FailureOr<Product> product = matrixOf(op);
  if (failed(product))
    return refuse("its view does not fit");
  SddmmPlan plan;
  plan.contraction = product->terms[0].value.getDefiningOp();
  if (!plan.contraction)
    return refuse("a loop or a branch carries it");
  FailureOr<Product> inner = Product::of(plan.contraction);
  if (failed(inner))
    return refuse("it is not a product");
  if (!isa<Float32Type, Float64Type>(op.getSource().getType().getElementType()))
    return refuse("its elements are neither f32 nor f64");
  bool addsInit = static_cast<bool>(inner->init);
  inner->init = Value();
  inner->absorbViews();
  if (failed(product->inlineTerm(0, *inner)))
    return refuse("a reshape in between cuts across its dimensions");
  product->absorbViews();
  if (product->terms.size() != 2 || !product->scalars.empty())
    return refuse("the product does not have exactly two operands");

  plan.stack.assign(product->result.begin(), product->result.end() - 2);
  const Group &in = product->result[plan.stack.size()], &out = product->result.back();
  SmallVector<Letter> stack = flatten(plan.stack);
  auto has = [&](unsigned term, Letter letter) {
    return llvm::is_contained(flatten(product->terms[term].dims), letter);
  };
  auto isSplitAs = [&](unsigned lhs) {
    unsigned rhs = 1 - lhs;
    return llvm::all_of(stack, [&](Letter l) { return has(lhs, l) && has(rhs, l); }) &&
           llvm::all_of(in, [&](Letter l) { return has(lhs, l) && !has(rhs, l); }) &&
           llvm::all_of(out, [&](Letter l) { return has(rhs, l) && !has(lhs, l); });
  };
  if (!isSplitAs(0) && !isSplitAs(1))
    return refuse("its inputs and outputs are not one operand each");
  unsigned lhs = isSplitAs(0) ? 0 : 1;
  plan.lhs = product->terms[lhs];
  plan.rhs = product->terms[1 - lhs];
  for (Letter letter : flatten(plan.lhs.dims))
    if (!llvm::is_contained(stack, letter) && has(1 - lhs, letter))
      plan.tokens.push_back(letter);
  if (addsInit)
    product->init = cast<linalg::LinalgOp>(plan.contraction).getDpsInits()[0];
  plan.product = std::move(*product);
  return plan;
}

/// A stacked pattern has a loop over its layers.
static FailureOr<Value> buildSddmm(OpBuilder &builder, RestrictOp op,
                                   const SddmmPlan &plan) {
  const Product &product = plan.product;
  Location loc = op.getLoc();
  // One operand repeats along what only the other has, as the gradient of a mean does.
  auto sumOwn = [&](const Term &term, const Group &own) {
    SmallVector<Letter> kept = flatten(plan.stack);
    llvm::append_range(kept, plan.tokens);
    llvm::append_range(kept, own);
    return buildSummed(builder, loc, product, term, kept);
  };
  Term lhs = sumOwn(plan.lhs, plan.getIn()), rhs = sumOwn(plan.rhs, plan.getOut());
  // The tokens in either operand's order; both mean the same sum.
  Group tokens = plan.tokens, rhsTokens;
  for (Letter letter : flatten(rhs.dims))
    if (llvm::is_contained(tokens, letter))
      rhsTokens.push_back(letter);
  auto withStack = [&](const Group &order, const Group &own) {
    Grouping dims = plan.stack;
    dims.push_back(order);
    dims.push_back(own);
    return dims;
  };
  auto cost = [&](const Group &order) {
    return getViewCost(product, lhs, withStack(order, plan.getIn())).transposes +
           getViewCost(product, rhs, withStack(order, plan.getOut())).transposes;
  };
  if (cost(rhsTokens) < cost(tokens))
    tokens = rhsTokens;
  SmallVector<Value> operands{
      buildView(builder, loc, product, lhs, withStack(tokens, plan.getIn())),
      buildView(builder, loc, product, rhs, withStack(tokens, plan.getOut()))};
  llvm::append_range(operands, op.getPattern());
  auto type = cast<RankedTensorType>(op.getType());
  auto layer = RankedTensorType::get(type.getShape().drop_front(plan.stack.size()),
                                     type.getElementType());
  auto buildLayer = [&](OpBuilder &nested, ValueRange parts) {
    Value init = buildEmpty(nested, loc, layer.getShape(), layer.getElementType());
    auto sddmm =
        SddmmOp::create(nested, loc, layer, parts[0], parts[1], parts.drop_front(2), init,
                        op.getStructure().withView({}, {}));
    return SmallVector<Value>{sddmm.getResult()};
  };
  if (plan.stack.empty())
    return buildLayer(builder, operands).front();
  auto made = createLoopOverLayers(builder, loc, product.getShape(plan.stack), operands,
                                   layer, buildLayer);
  if (failed(made))
    return failure();
  return made->front();
}

/// `value` = view(f(a, b, ...)) with f elementwise becomes f(view a, view b, ...),
/// so that restrict meets f (rule 2) and then each operand on its own.
static FailureOr<Value> hoistViews(PatternRewriter &rewriter, Value value) {
  if (!value.getDefiningOp() || !isView(value.getDefiningOp()))
    return failure();
  Product product = Product::identity(value);
  product.absorbViews();
  const Term &root = product.terms[0];
  auto generic = root.value.getDefiningOp<linalg::GenericOp>();
  if (!generic || generic->getNumResults() != 1 || generic.getNumDpsInits() != 1 ||
      generic.getNumReductionLoops() != 0 || generic.hasIndexSemantics() ||
      !generic.getIndexingMapsArray().back().isIdentity() ||
      generic.getMatchingBlockArgument(generic.getDpsInitOperand(0)).use_empty() == false)
    return failure();
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  AffineMap identity = rewriter.getMultiDimIdentityMap(type.getRank());
  for (OpOperand *operand : generic.getDpsInputOperands()) {
    AffineMap map = generic.getMatchingIndexingMap(operand);
    if (map.isIdentity() && isa<RankedTensorType>(operand->get().getType())) {
      inputs.push_back(buildView(rewriter, generic.getLoc(), product,
                                 {operand->get(), root.dims}, product.result));
      maps.push_back(identity);
    } else if (map.getNumResults() == 0) {
      inputs.push_back(operand->get());
      maps.push_back(AffineMap::get(type.getRank(), 0, rewriter.getContext()));
    } else {
      return failure();
    }
  }
  maps.push_back(identity);
  Value init =
      buildEmpty(rewriter, generic.getLoc(), type.getShape(), type.getElementType());
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  auto hoisted = linalg::GenericOp::create(rewriter, generic.getLoc(), type, inputs, init,
                                           maps, iterators);
  rewriter.cloneRegionBefore(generic.getRegion(), hoisted.getRegion(),
                             hoisted.getRegion().end());
  return hoisted.getResult(0);
}

namespace {

struct RestrictContraction : OpRewritePattern<RestrictOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RestrictOp op, PatternRewriter &rewriter) const override {
    std::string why;
    FailureOr<SddmmPlan> plan = planSddmm(op, why);
    if (failed(plan))
      return rewriter.notifyMatchFailure(op, why);
    if (plan->product.init)
      return splitInit(rewriter, plan->contraction);
    FailureOr<Value> made = buildSddmm(rewriter, op, *plan);
    if (succeeded(made))
      rewriter.replaceOp(op, *made);
    return made;
  }
};

struct RestrictViewOfElementwise : OpRewritePattern<RestrictOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RestrictOp op, PatternRewriter &rewriter) const override {
    FailureOr<Value> hoisted = hoistViews(rewriter, op.getSource());
    if (failed(hoisted))
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.getSourceMutable().assign(*hoisted); });
    return success();
  }
};

} // namespace

void sparsam::populateSddmmPatterns(RewritePatternSet &patterns) {
  patterns.add<RestrictContraction>(patterns.getContext(), /*benefit=*/2);
  patterns.add<RestrictViewOfElementwise>(patterns.getContext());
}

std::string sparsam::explainNoSddmm(RestrictOp restrict) {
  std::string why;
  (void)planSddmm(restrict, why);
  return why;
}
