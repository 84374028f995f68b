#include "sparsam/Analysis/FirstUse.h"
#include "ProductBody.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Analysis/Views.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// How a value that is a parameter, or one layer of it, lies in the parameter.
struct Layout {
  /// The parameter's dimensions that each of the value's is, or is a part of.
  SmallVector<SmallVector<int64_t>> dims;
  /// The parameter's dimensions of which the value has one place.
  SmallVector<int64_t> stack;
};

using Layouts = llvm::MapVector<Value, Layout>;

} // namespace

/// Elementwise work on `value` in its own layout: an op that scales or casts it.
static bool isElementwiseOn(Operation *op, Value value) {
  auto elementwise = matchElementwise(op);
  return succeeded(elementwise) && !elementwise->isCopy() &&
         llvm::any_of(elementwise->operands, [&](const ElementwiseOperand &operand) {
           return operand.value == value && operand.access == ElementAccess::Same;
         });
}

/// The layout of a view; none where a dimension of several of the parameter's is split.
static std::optional<Layout> getViewLayout(Operation *op, const Layout &layout) {
  auto change = matchLayoutChange(op);
  if (failed(change))
    return std::nullopt;
  Layout seen{{}, layout.stack};
  seen.dims.resize(change->getResultType().getRank());
  if (change->kind == LayoutChange::Transpose) {
    for (auto [dim, from] : llvm::enumerate(change->permutation))
      seen.dims[dim] = layout.dims[from];
    return seen;
  }
  for (auto [merged, group] : llvm::enumerate(change->groups))
    for (int64_t split : group) {
      if (change->kind == LayoutChange::Collapse) {
        llvm::append_range(seen.dims[merged], layout.dims[split]);
        continue;
      }
      if (change->getResultType().getDimSize(split) == 1)
        continue;
      bool isWhole = change->getResultType().getDimSize(split) ==
                     change->getSourceType().getDimSize(merged);
      if (layout.dims[merged].size() > 1 && !isWhole)
        return std::nullopt;
      seen.dims[split] = layout.dims[merged];
    }
  return seen;
}

/// A slice that has one place of some dimensions and all of the others.
static std::optional<Layout> getLayerLayout(Operation *op, const Layout &layout) {
  auto slice = dyn_cast<tensor::ExtractSliceOp>(op);
  if (!slice || !slice.getSourceType().hasStaticShape() || !slice.hasUnitStride())
    return std::nullopt;
  ArrayRef<int64_t> shape = slice.getSourceType().getShape();
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  Layout layer{{}, layout.stack};
  for (auto [dim, size] : llvm::enumerate(slice.getStaticSizes())) {
    if (size == 1 && shape[dim] != 1)
      llvm::append_range(layer.stack, layout.dims[dim]);
    else if (size != shape[dim])
      return std::nullopt;
    if (!dropped.test(dim))
      layer.dims.push_back(size == 1 ? SmallVector<int64_t>() : layout.dims[dim]);
  }
  llvm::sort(layer.stack);
  layer.stack.erase(llvm::unique(layer.stack), layer.stack.end());
  return layer;
}

/// What `op` contracts of the parameter, where one of its operands is a value of `same`:
/// nothing where it contracts no dimension or a part of one.
static FirstContraction getContraction(Operation *op, const Layouts &same) {
  FirstContraction none{op, {}, {}};
  FailureOr<Product> product = Product::of(op);
  FailureOr<Convolution> convolution = failure();
  // A product of bf16 that is summed in f32 contracts what one of f32 does.
  FailureOr<ProductBody> body = matchProductBody(op, /*acrossTypes=*/true);
  if (succeeded(body)) {
    product = getProduct(*body);
    convolution = getConvolution(*body);
  }
  if (succeeded(convolution)) {
    convolution->absorbFilter();
    product = std::move(convolution->product);
    // What the windows are read from has other dimensions than they.
    product->terms[Convolution::windows].value = {};
  } else if (succeeded(product)) {
    // Through the views that have no layout of their own.
    for (unsigned term = 0; term < product->terms.size(); ++term)
      while (!same.contains(product->terms[term].value) && product->absorbView(term)) {
      }
  } else {
    return none;
  }
  SmallVector<Letter> kept = flatten(product->result);
  for (unsigned position = 0; position < product->terms.size(); ++position) {
    const Term &term = product->terms[position];
    const auto *layout = same.find(term.value);
    if (layout == same.end())
      continue;
    auto isBatch = [&](Letter letter) {
      return llvm::is_contained(kept, letter) &&
             llvm::any_of(llvm::enumerate(product->terms), [&](auto other) {
               return other.index() != position &&
                      llvm::is_contained(flatten(other.value().dims), letter);
             });
    };
    FirstContraction found{op, {}, layout->second.stack};
    bool isWhole = true;
    for (auto [dim, letters] : llvm::enumerate(term.dims)) {
      size_t summed = llvm::count_if(
          letters, [&](Letter letter) { return !llvm::is_contained(kept, letter); });
      isWhole &= summed == 0 || summed == letters.size();
      if (summed)
        llvm::append_range(found.dims, layout->second.dims[dim]);
      else if (!letters.empty() && llvm::all_of(letters, isBatch))
        llvm::append_range(found.stack, layout->second.dims[dim]);
    }
    llvm::sort(found.dims);
    llvm::sort(found.stack);
    // A dimension of which it sums a part and takes one place of the rest is neither.
    isWhole &= llvm::none_of(
        found.dims, [&](int64_t dim) { return llvm::is_contained(found.stack, dim); });
    if (isWhole && !found.dims.empty())
      return found;
  }
  return none;
}

/// What a convolution reads a filter through.
static bool isReversedOrEmbedded(Operation *op, Value value) {
  FailureOr<Reversal> reversal = matchReversal(op);
  FailureOr<Embedding> embedding = matchEmbedding(op);
  return (succeeded(reversal) && reversal->source == value) ||
         (succeeded(embedding) && embedding->source == value);
}

/// Program order of ops of which neither is in the other.
static bool isBefore(Operation *a, Operation *b) {
  for (Block *block = a->getBlock(); block; block = block->getParentOp()->getBlock())
    if (Operation *other = block->findAncestorOpInBlock(*b))
      return block->findAncestorOpInBlock(*a)->isBeforeInBlock(other);
  return false;
}

std::optional<FirstContraction> sparsam::findFirstContraction(Value parameter) {
  auto type = dyn_cast<RankedTensorType>(parameter.getType());
  if (!type)
    return std::nullopt;
  // The parameter and its layers, and all that are views of these.
  Layouts same;
  Layout &own = same[parameter];
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    own.dims.push_back({dim});
  SetVector<Value> views;
  SetVector<Operation *> candidates;
  SmallVector<Value> worklist{parameter};
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    auto add = [&](Value found, Layout layout) {
      if (same.insert({found, std::move(layout)}).second)
        worklist.push_back(found);
    };
    const auto *known = same.find(value);
    std::optional<Layout> layout;
    if (known != same.end())
      layout = known->second;
    for (Operation *user : value.getUsers()) {
      // A reversal may read its source from inside.
      if (auto around = user->getParentOfType<linalg::GenericOp>())
        user = around;
      if (auto seen = layout ? getViewLayout(user, *layout) : std::nullopt) {
        add(user->getResult(0), *seen);
      } else if (isView(user) || isReversedOrEmbedded(user, value)) {
        if (views.insert(user->getResult(0)))
          worklist.push_back(user->getResult(0));
      } else if (auto layer = layout ? getLayerLayout(user, *layout) : std::nullopt) {
        add(user->getResult(0), *layer);
      } else if (layout && isElementwiseOn(user, value)) {
        add(user->getResult(0), *layout);
      } else {
        candidates.insert(user);
      }
    }
  }
  std::optional<FirstContraction> first;
  for (Operation *op : candidates) {
    if (first && !isBefore(op, first->op))
      continue;
    FirstContraction found = getContraction(op, same);
    if (!found.dims.empty())
      first = std::move(found);
  }
  return first;
}
