#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

using Shape = SmallVector<int64_t>;

static Shape withoutUnits(ArrayRef<int64_t> shape) {
  Shape kept;
  llvm::copy_if(shape, std::back_inserter(kept), [](int64_t size) { return size != 1; });
  return kept;
}

static std::optional<SmallVector<ReassociationIndices>>
reassociate(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  // Of shapes alone: any element type will do.
  if (from.size() == to.size())
    return std::nullopt;
  if (from.size() < to.size())
    return getReassociationIndicesForCollapse(to, from);
  return getReassociationIndicesForCollapse(from, to);
}

/// The shapes that a reshape goes through, each step one collapse or expand.
static SmallVector<Shape> reshapeSteps(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  SmallVector<Shape> steps;
  if (from == to)
    return steps;
  if (reassociate(from, to)) {
    steps.emplace_back(to);
    return steps;
  }
  Shape source = withoutUnits(from), target = withoutUnits(to);
  Shape current(from);
  auto step = [&](const Shape &next) {
    if (next == current)
      return;
    steps.push_back(next);
    current = next;
  };
  if (source == target || reassociate(source, target)) {
    step(source);
    step(target);
  } else if (FailureOr<Shape> pieces = refineSizes(source, target); succeeded(pieces)) {
    step(source);
    step(*pieces);
    step(target);
  } else {
    step({llvm::product_of(from)});
  }
  step(Shape(to));
  return steps;
}

Value sparsam::buildReshape(OpBuilder &builder, Location loc, Value value,
                            ArrayRef<int64_t> shape) {
  for (const Shape &step :
       reshapeSteps(cast<RankedTensorType>(value.getType()).getShape(), shape)) {
    auto type = cast<RankedTensorType>(value.getType());
    auto target = RankedTensorType::get(step, type.getElementType());
    auto indices = *reassociate(type.getShape(), step);
    if (type.getRank() < target.getRank())
      value = tensor::ExpandShapeOp::create(builder, loc, target, value, indices);
    else
      value = tensor::CollapseShapeOp::create(builder, loc, target, value, indices);
  }
  return value;
}

namespace {
/// Reshape to `chunks`, permute them, reshape to the target.
struct ViewPlan {
  Shape chunks;
  /// Empty where the view is a reshape.
  SmallVector<int64_t> permutation;
  Shape permuted, target;
};
} // namespace

static ViewPlan planView(const Product &product, const Term &term,
                         ArrayRef<Group> target) {
  ViewPlan plan;
  plan.target = product.getShape(target);
  SmallVector<Letter> from = flatten(term.dims), to = flatten(target);
  if (from == to)
    return plan;
  // Letters that follow each other on both sides move as one.
  DenseMap<Letter, int64_t> positionIn;
  for (auto [position, letter] : llvm::enumerate(to))
    positionIn[letter] = position;
  SmallVector<int64_t> firstPosition;
  for (size_t next = 0; next < from.size(); ++next) {
    bool follows = next > 0 && positionIn[from[next]] == positionIn[from[next - 1]] + 1;
    if (!follows) {
      plan.chunks.push_back(1);
      firstPosition.push_back(positionIn[from[next]]);
    }
    plan.chunks.back() *= product.sizes[from[next]];
  }
  plan.permutation = llvm::to_vector(llvm::seq<int64_t>(0, firstPosition.size()));
  llvm::sort(plan.permutation, [&](int64_t lhs, int64_t rhs) {
    return firstPosition[lhs] < firstPosition[rhs];
  });
  for (int64_t chunk : plan.permutation)
    plan.permuted.push_back(plan.chunks[chunk]);
  return plan;
}

ViewCost sparsam::getViewCost(const Product &product, const Term &term,
                              ArrayRef<Group> target) {
  ViewPlan plan = planView(product, term, target);
  ArrayRef<int64_t> source = cast<RankedTensorType>(term.value.getType()).getShape();
  ViewCost cost;
  if (plan.permutation.empty()) {
    cost.reshapes = reshapeSteps(source, plan.target).size();
    return cost;
  }
  cost.transposes = 1;
  cost.reshapes = reshapeSteps(source, plan.chunks).size() +
                  reshapeSteps(plan.permuted, plan.target).size();
  return cost;
}

Value sparsam::buildEmpty(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                          Type element) {
  return tensor::EmptyOp::create(builder, loc, shape, element);
}

Type sparsam::getWideElement(Type element) {
  return element.getIntOrFloatBitWidth() < 32 ? Float32Type::get(element.getContext())
                                              : element;
}

Value sparsam::buildConverted(OpBuilder &builder, Location loc, Value tensor,
                              Type element) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getElementType() == element)
    return tensor;
  bool widens = element.getIntOrFloatBitWidth() > type.getElementTypeBitWidth();
  Value init = buildEmpty(builder, loc, type.getShape(), element);
  SmallVector<AffineMap> maps(2, builder.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, init.getType(), tensor, init, maps, iterators,
             [&](OpBuilder &nested, Location at, ValueRange arguments) {
               Value converted =
                   widens ? arith::ExtFOp::create(nested, at, element, arguments[0])
                                .getResult()
                          : arith::TruncFOp::create(nested, at, element, arguments[0]);
               linalg::YieldOp::create(nested, at, converted);
             })
      .getResult(0);
}

Value sparsam::buildView(OpBuilder &builder, Location loc, const Product &product,
                         const Term &term, ArrayRef<Group> target) {
  ViewPlan plan = planView(product, term, target);
  Value value = term.value;
  if (!plan.permutation.empty()) {
    value = buildReshape(builder, loc, value, plan.chunks);
    Type element = cast<RankedTensorType>(value.getType()).getElementType();
    Value empty = buildEmpty(builder, loc, plan.permuted, element);
    value = linalg::TransposeOp::create(builder, loc, value, empty, plan.permutation)
                ->getResult(0);
  }
  return buildReshape(builder, loc, value, plan.target);
}

Value sparsam::buildAdd(OpBuilder &builder, Location loc, Value lhs, Value rhs) {
  return buildElementwise<arith::AddFOp>(builder, loc, {lhs, rhs});
}

Value sparsam::buildScaled(OpBuilder &builder, Location loc, Value tensor, Value scale) {
  auto type = cast<RankedTensorType>(tensor.getType());
  Value empty = buildEmpty(builder, loc, type.getShape(), type.getElementType());
  SmallVector<AffineMap> maps(2, builder.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> loops(type.getRank(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, type, tensor, empty, maps, loops,
                                   [&](OpBuilder &nested, Location loc, ValueRange in) {
                                     Value product =
                                         arith::MulFOp::create(nested, loc, in[0], scale);
                                     linalg::YieldOp::create(nested, loc, product);
                                   })
      .getResult(0);
}
