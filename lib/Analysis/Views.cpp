#include "sparsam/Analysis/Views.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "sparsam/Analysis/Elementwise.h"

using namespace mlir;
using namespace mlir::sparsam;

RankedTensorType LayoutChange::getSourceType() const {
  return cast<RankedTensorType>(source.getType());
}

RankedTensorType LayoutChange::getResultType() const {
  return cast<RankedTensorType>(result.getType());
}

template <typename ReshapeOp>
static void setGroups(LayoutChange &change, ReshapeOp reshape) {
  change.source = reshape.getSrc();
  change.result = reshape.getResult();
  for (const ReassociationIndices &group : reshape.getReassociationIndices())
    change.groups.emplace_back(group.begin(), group.end());
}

FailureOr<LayoutChange> sparsam::matchLayoutChange(Operation *op) {
  LayoutChange change;
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(op)) {
    change.kind = LayoutChange::Collapse;
    setGroups(change, collapse);
  } else if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(op)) {
    change.kind = LayoutChange::Expand;
    setGroups(change, expand);
  } else {
    auto elementwise = matchElementwise(op);
    if (failed(elementwise) || !elementwise->isCopy())
      return failure();
    const ElementwiseOperand &operand = elementwise->operands.front();
    change.kind = LayoutChange::Transpose;
    change.source = operand.value;
    change.result = op->getResult(0);
    change.permutation.resize(elementwise->type.getRank());
    for (int64_t dim = 0; dim < elementwise->type.getRank(); ++dim) {
      if (operand.access == ElementAccess::Same)
        change.permutation[dim] = dim;
      else
        change.permutation[operand.dims[dim]] = dim;
    }
  }
  if (!change.getSourceType().hasStaticShape() ||
      !change.getResultType().hasStaticShape())
    return failure();
  return change;
}

StructureInterface sparsam::withView(StructureInterface structure, ArrayRef<int64_t> in,
                                     ArrayRef<int64_t> stack) {
  // As of a rank that has inputs: of another one, these would be no view.
  if (in == ArrayRef(getDefaultInputs(stack, stack.size() + 2)))
    in = {};
  return structure.withView(in, stack);
}

namespace {
/// A view's stacked dimensions, inputs and outputs in flattening order.
struct Order {
  SmallVector<int64_t> stack, in, out;
};
} // namespace

static Order getOrder(StructureInterface structure, int64_t rank) {
  Order order{SmallVector<int64_t>(structure.getStack()),
              SmallVector<int64_t>(structure.getIn()),
              {}};
  if (order.in.empty())
    order.in = getDefaultInputs(order.stack, rank);
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!llvm::is_contained(order.in, dim) && !llvm::is_contained(order.stack, dim))
      order.out.push_back(dim);
  return order;
}

/// A view's outputs are always in their own order and there is at least one; only a
/// single one has no inputs.
static bool isView(const Order &order) {
  return !order.out.empty() && llvm::is_sorted(order.out) &&
         (!order.in.empty() || order.out.size() == 1);
}

/// Where dimension d becomes `target[d]`.
static Order mapDims(const Order &order, ArrayRef<int64_t> target) {
  Order mapped;
  for (int64_t dim : order.stack)
    mapped.stack.push_back(target[dim]);
  for (int64_t dim : order.in)
    mapped.in.push_back(target[dim]);
  for (int64_t dim : order.out)
    mapped.out.push_back(target[dim]);
  return mapped;
}

/// Where dimension d becomes all of `groups[d]`.
static Order splitDims(const Order &order, ArrayRef<SmallVector<int64_t>> groups) {
  Order split;
  for (int64_t dim : order.stack)
    llvm::append_range(split.stack, groups[dim]);
  for (int64_t dim : order.in)
    llvm::append_range(split.in, groups[dim]);
  for (int64_t dim : order.out)
    llvm::append_range(split.out, groups[dim]);
  return split;
}

/// Where all of `groups[d]` becomes dimension d. Dimensions of size 1 move freely,
/// so only the others have to be neighbours.
static std::optional<Order> mergeDims(const Order &order,
                                      ArrayRef<SmallVector<int64_t>> groups,
                                      ArrayRef<int64_t> shape) {
  auto isUnit = [&](int64_t dim) { return shape[dim] == 1; };
  Order merged;
  for (auto [dim, group] : llvm::enumerate(groups)) {
    const int64_t *first = llvm::find_if_not(group, isUnit);
    int64_t representative = first == group.end() ? group.front() : *first;
    if (llvm::is_contained(order.stack, representative))
      merged.stack.push_back(dim);
    else if (llvm::is_contained(order.in, representative))
      merged.in.push_back(dim);
    else
      merged.out.push_back(dim);
  }
  // In the order in which the first large dimensions of each come.
  auto sort = [&](SmallVector<int64_t> &dims, ArrayRef<int64_t> split) {
    auto place = [&](int64_t dim) {
      for (auto [position, part] : llvm::enumerate(split))
        if (!isUnit(part) && llvm::is_contained(groups[dim], part))
          return static_cast<int64_t>(position);
      return static_cast<int64_t>(split.size());
    };
    llvm::sort(dims, [&](int64_t a, int64_t b) {
      return std::pair(place(a), a) < std::pair(place(b), b);
    });
  };
  sort(merged.stack, order.stack);
  sort(merged.in, order.in);
  auto large = [&](ArrayRef<int64_t> dims) {
    return llvm::filter_to_vector(dims, [&](int64_t dim) { return !isUnit(dim); });
  };
  Order split = splitDims(merged, groups);
  if (large(split.stack) != large(order.stack) || large(split.in) != large(order.in) ||
      large(split.out) != large(order.out))
    return std::nullopt;
  return merged;
}

static StructureInterface toStructure(StructureInterface structure,
                                      std::optional<Order> order) {
  return order && isView(*order) ? withView(structure, order->in, order->stack)
                                 : StructureInterface();
}

StructureInterface sparsam::getViewOfSource(const LayoutChange &change,
                                            StructureInterface structure) {
  Order order = getOrder(structure, change.getResultType().getRank());
  switch (change.kind) {
  case LayoutChange::Transpose:
    return toStructure(structure, mapDims(order, change.permutation));
  case LayoutChange::Collapse:
    return toStructure(structure, splitDims(order, change.groups));
  case LayoutChange::Expand:
    return toStructure(
        structure, mergeDims(order, change.groups, change.getResultType().getShape()));
  }
  return {};
}

StructureInterface sparsam::getViewOfResult(const LayoutChange &change,
                                            StructureInterface structure) {
  Order order = getOrder(structure, change.getSourceType().getRank());
  switch (change.kind) {
  case LayoutChange::Transpose:
    return toStructure(structure,
                       mapDims(order, invertPermutationVector(change.permutation)));
  case LayoutChange::Collapse:
    return toStructure(
        structure, mergeDims(order, change.groups, change.getSourceType().getShape()));
  case LayoutChange::Expand:
    return toStructure(structure, splitDims(order, change.groups));
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Making a matrix, and back
//===----------------------------------------------------------------------===//

Value sparsam::createReshape(OpBuilder &builder, Location loc, Value value,
                             ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  auto target = RankedTensorType::get(shape, type.getElementType());
  if (auto groups = getReassociationIndicesForReshape(type, target)) {
    if (type.getRank() > target.getRank())
      return tensor::CollapseShapeOp::create(builder, loc, target, value, *groups);
    return tensor::ExpandShapeOp::create(builder, loc, target, value, *groups);
  }
  // No grouping maps one to the other: by way of a vector.
  Value flat = createReshape(builder, loc, value, {type.getNumElements()});
  return createReshape(builder, loc, flat, shape);
}

/// The parameter's dimensions in the order in which its matrices flatten them.
static SmallVector<int64_t> getFlattening(StructureInterface structure, int64_t rank) {
  Order order = getOrder(structure, rank);
  llvm::append_range(order.stack, order.in);
  llvm::append_range(order.stack, order.out);
  return order.stack;
}

static SmallVector<int64_t> getMatrixShape(StructureInterface structure,
                                           RankedTensorType type) {
  Order order = getOrder(structure, type.getRank());
  auto count = [&](ArrayRef<int64_t> dims) {
    int64_t size = 1;
    for (int64_t dim : dims)
      size *= type.getDimSize(dim);
    return size;
  };
  SmallVector<int64_t> shape;
  for (int64_t dim : order.stack)
    shape.push_back(type.getDimSize(dim));
  shape.append({count(order.in), count(order.out)});
  return shape;
}

Value sparsam::createMatrixOf(OpBuilder &builder, Location loc, Value value,
                              StructureInterface structure) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> order = getFlattening(structure, type.getRank());
  if (!llvm::is_sorted(order))
    value = createTranspose(builder, loc, value, order);
  return createReshape(builder, loc, value, getMatrixShape(structure, type));
}

Value sparsam::createFromMatrix(OpBuilder &builder, Location loc, Value matrix,
                                RankedTensorType type, StructureInterface structure) {
  SmallVector<int64_t> order = getFlattening(structure, type.getRank());
  SmallVector<int64_t> shape;
  for (int64_t dim : order)
    shape.push_back(type.getDimSize(dim));
  Value value = createReshape(builder, loc, matrix, shape);
  if (llvm::is_sorted(order))
    return value;
  return createTranspose(builder, loc, value, invertPermutationVector(order));
}
