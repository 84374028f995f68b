#include "sparsam/Analysis/FirstUse.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Analysis/Convolution.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Analysis/Product.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// How a value that is a parameter, or one layer of it, lies in the parameter.
struct Layout {
  /// The parameter's dimension that each of the value's is.
  SmallVector<int64_t> dims;
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
      layer.stack.push_back(layout.dims[dim]);
    else if (size != shape[dim])
      return std::nullopt;
    if (!dropped.test(dim))
      layer.dims.push_back(layout.dims[dim]);
  }
  llvm::sort(layer.stack);
  return layer;
}

/// What `op` contracts of the parameter, where one of its operands is a value of `same`:
/// nothing where it contracts no dimension or a part of one.
static FirstContraction getContraction(Operation *op, const Layouts &same) {
  FirstContraction none{op, {}, {}};
  FailureOr<Product> product = Product::of(op);
  FailureOr<Convolution> convolution = Convolution::of(op);
  if (succeeded(convolution)) {
    convolution->absorbFilter();
    product = std::move(convolution->product);
    // What the windows are read from has other dimensions than they.
    product->terms[Convolution::windows].value = {};
  } else if (succeeded(product)) {
    product->absorbViews();
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
        found.dims.push_back(layout->second.dims[dim]);
      else if (!letters.empty() && llvm::all_of(letters, isBatch))
        found.stack.push_back(layout->second.dims[dim]);
    }
    llvm::sort(found.dims);
    llvm::sort(found.stack);
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
  same[parameter] = {llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())), {}};
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
      if (isView(user) || isReversedOrEmbedded(user, value)) {
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
