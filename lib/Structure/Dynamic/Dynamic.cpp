#include "sparsam/Structure/Dynamic/Dynamic.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Transforms/Algebra.h"
#include "sparsam/Transforms/BuildProduct.h"
#include "sparsam/Transforms/LoopOverLayers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Dynamic/Dynamic.cpp.inc"

void sparsam::registerDynamic(DialectRegistry &registry) {
  registerStructures<DynamicAttr>(registry);
}

LogicalResult DynamicAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                  StructureInterface pattern,
                                  std::optional<APFloat> decay, bool soft,
                                  ArrayRef<int64_t>, ArrayRef<int64_t>) {
  if (decay && !(decay->isFinite() && !decay->isNegative()))
    return emitError() << "expected a decay that is finite and not below zero, found "
                       << decay->convertToDouble();
  if (decay && soft)
    return emitError() << "decay and soft exclude one another: what a soft threshold "
                          "drops is drawn to zero by no decay";
  return verifyInnerPattern(pattern, "the structure inside", emitError);
}

StructureInterface DynamicAttr::withView(ArrayRef<int64_t> in,
                                         ArrayRef<int64_t> stack) const {
  return DynamicAttr::get(getContext(), getPattern(), getDecay(), getSoft(), in, stack);
}

FailureOr<SmallVector<FactorTerm>>
DynamicAttr::getTerms(RankedTensorType matrix,
                      function_ref<InFlightDiagnostic()> emitError) const {
  if (failed(getPattern().getStorage(matrix, emitError)))
    return failure();
  FactorTerm term;
  term.factors = {{"dense", "kn", matrix}};
  if (getSoft())
    term.factors.push_back({"scale",
                            "",
                            RankedTensorType::get({}, matrix.getElementType()),
                            {},
                            /*isFrozen=*/true,
                            /*isAside=*/true});
  term.in = "k";
  term.out = "n";
  return SmallVector<FactorTerm>{std::move(term)};
}

FailureOr<StructureCost> DynamicAttr::getCost(RankedTensorType matrix) const {
  auto cost = getPattern().getCost(matrix);
  if (failed(cost))
    return failure();
  cost->entries = matrix.getNumElements();
  cost->bytes = cost->entries * matrix.getElementTypeBitWidth() / 8;
  // Straight through: all entries have a gradient.
  cost->gradientFlopsPerRow = 2 * cost->entries;
  return cost;
}

namespace {
/// One selection from a dense tensor, the stacked dimensions of which are in front.
struct Selection {
  StoredPattern pattern;
  /// The selected entries, by the soft threshold where the structure has one.
  Value values;
};
} // namespace

/// The share of each selected entry that the soft threshold leaves, a layer at a time.
static FailureOr<Value> buildShares(OpBuilder &builder, Location loc,
                                    StructureInterface pattern, Value dense,
                                    const Selection &selection) {
  auto type = cast<RankedTensorType>(selection.values.getType());
  auto shape = cast<RankedTensorType>(dense.getType()).getShape();
  ArrayRef<int64_t> stack = shape.drop_back(2);
  SmallVector<Value> stacked{dense};
  llvm::append_range(stacked, selection.pattern.indices);
  auto layer = type.clone(type.getShape().drop_front(stack.size()));
  auto shares = createLoopOverLayers(
      builder, loc, stack, stacked, {layer},
      [&](OpBuilder &nested, ValueRange own) -> FailureOr<SmallVector<Value>> {
        auto share = pattern.buildShrinkage(nested, loc, own.front(), own.drop_front());
        if (failed(share))
          return failure();
        return SmallVector<Value>{*share};
      });
  if (failed(shares))
    return failure();
  return shares->front();
}

/// The pattern that `dense` selects, and its entries there.
static FailureOr<Selection> buildSelection(OpBuilder &builder, Location loc,
                                           DynamicAttr structure, Value dense) {
  auto type = cast<RankedTensorType>(dense.getType());
  auto stack = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank() - 2));
  StructureInterface inner = structure.getPattern().withView({}, stack);
  auto storage = getParameterStorage(inner, type, [&] { return emitError(loc); });
  if (failed(storage))
    return failure();
  SmallVector<Type> types;
  for (const StorageTensor &tensor : *storage)
    if (tensor.isIndex())
      types.push_back(tensor.type);
  IRRewriter rewriter(builder);
  Selection selection{{inner, {}}, {}};
  llvm::append_range(selection.pattern.indices,
                     SelectOp::create(rewriter, loc, types, dense, inner).getPattern());
  selection.values = getOrCreateRestrict(rewriter, loc, dense, selection.pattern);
  if (!structure.getSoft())
    return selection;
  FailureOr<Value> share =
      buildShares(rewriter, loc, structure.getPattern(), dense, selection);
  if (failed(share))
    return emitError(loc) << structure.getPattern() << " has no soft threshold";
  selection.values =
      buildElementwise<arith::MulFOp>(rewriter, loc, {selection.values, *share});
  return selection;
}

/// `tensor`, the stacked dimensions of which are in front, times the scale of its layer,
/// the last of the factors.
static Value buildScaledLayers(OpBuilder &builder, Location loc, Value tensor,
                               ValueRange factors) {
  Value scale = factors.back();
  int64_t numStacked = cast<RankedTensorType>(scale.getType()).getRank();
  if (numStacked == 0)
    return buildScaled(builder, loc, tensor,
                       tensor::ExtractOp::create(builder, loc, scale, ValueRange{}));
  auto type = cast<RankedTensorType>(tensor.getType());
  AffineMap all = builder.getMultiDimIdentityMap(type.getRank());
  AffineMap layer = all.getMajorSubMap(numStacked);
  SmallVector<utils::IteratorType> loops(type.getRank(), utils::IteratorType::parallel);
  Value empty = buildEmpty(builder, loc, type.getShape(), type.getElementType());
  return linalg::GenericOp::create(builder, loc, type, ValueRange{tensor, scale}, empty,
                                   ArrayRef<AffineMap>{all, layer, all}, loops,
                                   [](OpBuilder &nested, Location loc, ValueRange in) {
                                     Value product =
                                         arith::MulFOp::create(nested, loc, in[0], in[1]);
                                     linalg::YieldOp::create(nested, loc, product);
                                   })
      .getResult(0);
}

FailureOr<Value> DynamicAttr::buildRead(OpBuilder &builder, Location loc, Value sum,
                                        ValueRange factors) const {
  auto selection = buildSelection(builder, loc, *this, sum);
  if (failed(selection))
    return failure();
  Value values = selection->values;
  if (getSoft())
    values = buildScaledLayers(builder, loc, values, factors);
  return createDensify(builder, loc, values, selection->pattern,
                       cast<RankedTensorType>(sum.getType()))
      .getResult();
}

FailureOr<Value> DynamicAttr::buildGradient(OpBuilder &builder, Location loc,
                                            Value gradient, ValueRange factors) const {
  if (getSoft())
    return buildScaledLayers(builder, loc, gradient, factors);
  if (!getDecay() || getDecay()->isZero())
    return gradient;
  auto selection = buildSelection(builder, loc, *this, factors.front());
  if (failed(selection))
    return failure();
  auto type = cast<RankedTensorType>(gradient.getType());
  Value read = createDensify(builder, loc, selection->values, selection->pattern, type);
  Value rest = buildElementwise<arith::SubFOp>(builder, loc, {factors.front(), read});
  Value lambda = arith::ConstantOp::create(
      builder, loc,
      builder.getFloatAttr(type.getElementType(), getDecay()->convertToDouble()));
  return buildAdd(builder, loc, gradient, buildScaled(builder, loc, rest, lambda));
}

FailureOr<SmallVector<Value>>
DynamicAttr::buildFactorize(OpBuilder &builder, Location loc, Value matrix) const {
  if (!getSoft())
    return SmallVector<Value>{matrix};
  auto selection = buildSelection(builder, loc, *this, matrix);
  if (failed(selection))
    return failure();
  // The least squares of W - beta S(W), whose entries off the pattern are zero.
  IRRewriter rewriter(builder);
  Value stored = getOrCreateRestrict(rewriter, loc, matrix, selection->pattern);
  Value both = buildDot(rewriter, loc, stored, selection->values);
  Value own = buildDot(rewriter, loc, selection->values, selection->values);
  Type element = own.getType();
  Value zero = arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(element));
  Value one = arith::ConstantOp::create(rewriter, loc, rewriter.getFloatAttr(element, 1));
  Value isZero =
      arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::OEQ, own, zero);
  Value quotient = arith::DivFOp::create(rewriter, loc, both, own);
  Value scale = arith::SelectOp::create(rewriter, loc, isZero, one, quotient);
  auto type = RankedTensorType::get({}, element);
  return SmallVector<Value>{matrix,
                            tensor::FromElementsOp::create(rewriter, loc, type, scale)};
}
