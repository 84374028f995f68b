#include "sparsam/Analysis/FirstUse.h"
#include "sparsam/Analysis/Convolution.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Analysis/Product.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::sparsam;

/// Elementwise work on `value` in its own layout: an op that scales or casts it.
static bool isElementwiseOn(Operation *op, Value value) {
  auto elementwise = matchElementwise(op);
  return succeeded(elementwise) && !elementwise->isCopy() &&
         llvm::any_of(elementwise->operands, [&](const ElementwiseOperand &operand) {
           return operand.value == value && operand.access == ElementAccess::Same;
         });
}

/// The parameter's dimensions that `op` contracts, where the parameter is one of the
/// values of `same`; empty where it contracts none or a part of one.
static SmallVector<int64_t> getContractedDims(Operation *op,
                                              const SetVector<Value> &same) {
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
    return {};
  }
  SmallVector<Letter> kept = flatten(product->result);
  for (const Term &term : product->terms) {
    if (!same.contains(term.value))
      continue;
    SmallVector<int64_t> dims;
    bool isWhole = true;
    for (auto [dim, letters] : llvm::enumerate(term.dims)) {
      size_t summed = llvm::count_if(
          letters, [&](Letter letter) { return !llvm::is_contained(kept, letter); });
      isWhole &= summed == 0 || summed == letters.size();
      if (summed)
        dims.push_back(dim);
    }
    if (isWhole && !dims.empty())
      return dims;
  }
  return {};
}

/// What a convolution reads a filter through.
static bool isReversedOrEmbedded(Operation *op, Value value) {
  FailureOr<Reversal> reversal = matchReversal(op);
  FailureOr<Embedding> embedding = matchEmbedding(op);
  return (succeeded(reversal) && reversal->source == value) ||
         (succeeded(embedding) && embedding->source == value);
}

/// `op`, or the op around it, in `block`.
static Operation *getAncestor(Operation *op, Block *block) {
  return block->findAncestorOpInBlock(*op);
}

std::optional<FirstContraction> sparsam::findFirstContraction(Value parameter) {
  // Values in the parameter's layout, and all that are views of these.
  SetVector<Value> same, views;
  same.insert(parameter);
  SetVector<Operation *> candidates;
  SmallVector<Value> worklist{parameter};
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    for (Operation *user : value.getUsers()) {
      // A reversal may read its source from inside.
      if (auto around = user->getParentOfType<linalg::GenericOp>())
        user = around;
      if (isView(user) || isReversedOrEmbedded(user, value)) {
        if (views.insert(user->getResult(0)))
          worklist.push_back(user->getResult(0));
      } else if (same.contains(value) && isElementwiseOn(user, value)) {
        if (same.insert(user->getResult(0)))
          worklist.push_back(user->getResult(0));
      } else {
        candidates.insert(user);
      }
    }
  }
  Block *block = parameter.getParentBlock();
  std::optional<FirstContraction> first;
  for (Operation *op : candidates) {
    Operation *place = getAncestor(op, block);
    if (first && (!place || !place->isBeforeInBlock(getAncestor(first->op, block))))
      continue;
    SmallVector<int64_t> dims = getContractedDims(op, same);
    if (!dims.empty())
      first = FirstContraction{op, dims};
  }
  return first;
}
