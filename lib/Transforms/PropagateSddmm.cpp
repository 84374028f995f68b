// Rule 5 of the algebra: restrict(contract(A, B), i) = SDDMM.
#include "PropagateRules.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

/// restrict as a product of one term: the source in the K x N view.
static FailureOr<Product> matrixOf(RestrictOp op) {
  auto view = getMatrixView(op.getStructure(), op.getSource().getType(),
                            [&] { return op.emitOpError(); });
  if (failed(view))
    return failure();
  Product product = Product::identity(op.getSource());
  product.result.assign(2, {});
  for (int64_t dim : view->in)
    llvm::append_range(product.result[0], product.terms[0].dims[dim]);
  for (int64_t dim : view->out)
    llvm::append_range(product.result[1], product.terms[0].dims[dim]);
  product.absorbViews();
  return product;
}

namespace {
struct SddmmPlan {
  Product product;
  Operation *contraction = nullptr;
  Term lhs, rhs;
  Group tokens;
};
} // namespace

static FailureOr<SddmmPlan> planSddmm(RestrictOp op, std::string &why) {
  auto refuse = [&](const char *reason) {
    why = reason;
    return failure();
  };
  if (!isa<Float32Type, Float64Type>(op.getSource().getType().getElementType()))
    return refuse("its elements are neither f32 nor f64");
  FailureOr<Product> product = matrixOf(op);
  if (failed(product))
    return refuse("its view does not fit");
  SddmmPlan plan;
  plan.contraction = product->terms[0].value.getDefiningOp();
  if (!plan.contraction)
    return refuse("it is an argument");
  FailureOr<Product> inner = Product::of(plan.contraction);
  if (failed(inner))
    return refuse("it is not a product");
  bool addsInit = static_cast<bool>(inner->init);
  inner->init = Value();
  inner->absorbViews();
  if (failed(product->inlineTerm(0, *inner)))
    return refuse("a reshape in between cuts across its dimensions");
  product->absorbViews();
  if (product->terms.size() != 2 || !product->scalars.empty())
    return refuse("the product does not have exactly two operands");

  const Group &in = product->result[0], &out = product->result[1];
  auto has = [&](unsigned term, Letter letter) {
    return llvm::is_contained(flatten(product->terms[term].dims), letter);
  };
  auto isSplitAs = [&](unsigned lhs) {
    unsigned rhs = 1 - lhs;
    return llvm::all_of(in, [&](Letter l) { return has(lhs, l) && !has(rhs, l); }) &&
           llvm::all_of(out, [&](Letter l) { return has(rhs, l) && !has(lhs, l); });
  };
  if (!isSplitAs(0) && !isSplitAs(1))
    return refuse("its inputs and outputs are not one operand each");
  unsigned lhs = isSplitAs(0) ? 0 : 1;
  plan.lhs = product->terms[lhs];
  plan.rhs = product->terms[1 - lhs];
  for (Letter letter : flatten(plan.lhs.dims))
    if (!llvm::is_contained(in, letter))
      plan.tokens.push_back(letter);
  for (Letter letter : plan.tokens)
    if (!has(1 - lhs, letter))
      return refuse("one operand has a summed dimension of its own");
  for (Letter letter : flatten(plan.rhs.dims))
    if (!llvm::is_contained(out, letter) && !llvm::is_contained(plan.tokens, letter))
      return refuse("one operand has a summed dimension of its own");
  if (addsInit)
    product->init = cast<linalg::LinalgOp>(plan.contraction).getDpsInits()[0];
  plan.product = std::move(*product);
  return plan;
}

static Value buildSddmm(OpBuilder &builder, RestrictOp op, const SddmmPlan &plan) {
  const Product &product = plan.product;
  Location loc = op.getLoc();
  // The tokens in either operand's order; both mean the same sum.
  Group tokens = plan.tokens, rhsTokens;
  for (Letter letter : flatten(plan.rhs.dims))
    if (llvm::is_contained(tokens, letter))
      rhsTokens.push_back(letter);
  auto cost = [&](const Group &order) {
    return getViewCost(product, plan.lhs, Grouping{order, product.result[0]}).transposes +
           getViewCost(product, plan.rhs, Grouping{order, product.result[1]}).transposes;
  };
  if (cost(rhsTokens) < cost(tokens))
    tokens = rhsTokens;
  Value lhs =
      buildView(builder, loc, product, plan.lhs, Grouping{tokens, product.result[0]});
  Value rhs =
      buildView(builder, loc, product, plan.rhs, Grouping{tokens, product.result[1]});
  auto type = op.getType();
  Value init = buildEmpty(builder, loc, type.getShape(), type.getElementType());
  return SddmmOp::create(builder, loc, type, lhs, rhs, op.getPattern(), init,
                         op.getStructure().withView({}, {}))
      .getResult();
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
    rewriter.replaceOp(op, buildSddmm(rewriter, op, *plan));
    return success();
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
