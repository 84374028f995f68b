// Rules 4, 5 and 7 for convolutions: a convolution with a structured filter, or whose
// result is the gradient of one, becomes a product of windows, which they know.
//
// The filter is seen through what stands between a parameter and its convolutions:
// transposes, reshapes, the zeros of a dilated filter and, backward to the input, a
// reversal, which the windows take over. That gradient contracts the filter's outputs and
// keeps its inputs, so that it is a product first and the sum of overlapping windows
// after (BuildFolded.cpp).
#include "MergedProduct.h"
#include "PropagateRules.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Transforms/BuildConvolution.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::sparsam;

/// Whether a densified pattern or a product of factors is what `value` is made from by
/// rearranging and elementwise work.
static bool isStructured(Value value) {
  llvm::SetVector<Value> work;
  work.insert(value);
  for (size_t next = 0; next < work.size(); ++next) {
    Operation *op = work[next].getDefiningOp();
    if (!op)
      continue;
    if (isa<DensifyOp, EinsumOp>(op))
      return true;
    if (isView(op))
      work.insert(op->getOperand(0));
    else if (FailureOr<Reversal> reversal = matchReversal(op); succeeded(reversal))
      work.insert(reversal->source);
    else if (FailureOr<Embedding> embedding = matchEmbedding(op); succeeded(embedding))
      work.insert(embedding->source);
    else if (FailureOr<ElementwiseOp> elementwise = matchElementwise(op);
             succeeded(elementwise))
      for (const ElementwiseOperand &operand : elementwise->operands)
        if (operand.access != ElementAccess::Scalar)
          work.insert(operand.value);
  }
  return false;
}

/// Whether restrictions, or the derivatives by factors, are made of `value` by linear
/// steps: the raw gradient of a structured parameter.
static bool isStructuredGradient(Value value) {
  llvm::SetVector<Value> work;
  work.insert(value);
  for (size_t next = 0; next < work.size(); ++next)
    for (Operation *user : getUsersThroughViews(work[next])) {
      if (isa<RestrictOp, EinsumOp>(user))
        return true;
      if (matchLinear(user) != Linear::None || succeeded(getElementwiseProduct(user)))
        work.insert_range(user->getResults());
    }
  return false;
}

namespace {

enum class Form { Unfolded, Folded };

/// The letters of the filter that are inputs of the structure's view, and its outputs.
struct ViewLetters {
  Group in, out;
};

} // namespace

static std::optional<ViewLetters> getViewLetters(const Term &filter) {
  auto densify = filter.value.getDefiningOp<DensifyOp>();
  if (!densify || densify.getStructure().getKind() != StructureKind::Pattern)
    return std::nullopt;
  auto view = getMatrixView(densify.getStructure(), densify.getType(),
                            [&] { return densify.emitOpError(); });
  if (failed(view))
    return std::nullopt;
  ViewLetters letters;
  for (int64_t dim : view->in)
    llvm::append_range(letters.in, filter.dims[dim]);
  for (int64_t dim : view->out)
    llvm::append_range(letters.out, filter.dims[dim]);
  return letters;
}

/// Which form leaves a product with all inputs, or all outputs, of the filter's view
/// summed. A filter without a view, a product of factors, asks for none.
static FailureOr<Form> chooseForm(const Convolution &convolution, bool isReversed) {
  const Product &product = convolution.product;
  SmallVector<Letter> kept = flatten(product.result);
  SmallVector<Letter> inWindows = flatten(product.terms[Convolution::windows].dims);
  auto isKept = [&](Letter l) { return llvm::is_contained(kept, l); };
  auto isInWindows = [&](Letter l) { return llvm::is_contained(inWindows, l); };
  std::optional<ViewLetters> view = getViewLetters(product.terms[Convolution::filter]);
  if (!view) {
    FailureOr<Embedding> embedding =
        matchEmbedding(convolution.getSource().getDefiningOp());
    bool isDilated = succeeded(embedding) &&
                     llvm::any_of(embedding->strides, [](int64_t s) { return s != 1; });
    return isReversed || isDilated ? Form::Folded : Form::Unfolded;
  }
  bool sumsInputs =
      llvm::all_of(view->in, [&](Letter l) { return !isKept(l) && isInWindows(l); }) &&
      llvm::all_of(view->out, [&](Letter l) { return isKept(l) && !isInWindows(l); });
  if (sumsInputs)
    return Form::Unfolded;
  bool sumsOutputs =
      llvm::all_of(view->out, [&](Letter l) { return !isKept(l) && isInWindows(l); }) &&
      llvm::all_of(view->in, [&](Letter l) { return isKept(l) != isInWindows(l); });
  if (sumsOutputs)
    return Form::Folded;
  return failure();
}

static void eraseDead(RewriterBase &rewriter, Operation *op) {
  SmallVector<Operation *> worklist{op};
  while (!worklist.empty()) {
    Operation *dead = worklist.pop_back_val();
    if (!isOpTriviallyDead(dead))
      continue;
    llvm::SmallSetVector<Operation *, 4> producers;
    dead->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (Operation *producer = operand.getDefiningOp())
          if (!dead->isAncestor(producer))
            producers.insert(producer);
    });
    rewriter.eraseOp(dead);
    llvm::append_range(worklist, producers);
  }
}

static FailureOr<Value> buildWithStructuredFilter(OpBuilder &builder, Operation *op,
                                                  Convolution convolution) {
  bool isReversed = convolution.absorbFilter();
  FailureOr<Form> form = chooseForm(convolution, isReversed);
  if (failed(form))
    return failure();
  if (*form == Form::Folded)
    if (FailureOr<Value> folded = buildFolded(builder, op->getLoc(), convolution);
        succeeded(folded))
      return folded;
  return buildUnfolded(builder, op->getLoc(), convolution);
}

/// Factors have no use as dense tensors, so that their convolutions become products
/// whatever these cost; those of a pattern only where a rule takes it from there.
static FailureOr<Value> build(OpBuilder &builder, Operation *op) {
  FailureOr<Convolution> convolution = Convolution::of(op);
  if (failed(convolution))
    return failure();
  Value filter = convolution->product.terms[Convolution::filter].value;
  if (isStructured(filter))
    return buildWithStructuredFilter(builder, op, *convolution);
  if (isStructuredGradient(op->getResult(0)) && convolution->isMatrixProduct())
    return buildUnfolded(builder, op->getLoc(), *convolution);
  return failure();
}

int64_t sparsam::unfoldConvolutions(func::FuncOp function) {
  IRRewriter rewriter(function.getContext());
  SmallVector<linalg::LinalgOp> candidates;
  function.walk([&](linalg::LinalgOp op) { candidates.push_back(op); });
  int64_t count = 0;
  for (linalg::LinalgOp op : candidates) {
    rewriter.setInsertionPoint(op);
    FailureOr<Value> product = build(rewriter, op);
    if (failed(product))
      continue;
    rewriter.replaceAllUsesWith(op->getResult(0), *product);
    eraseDead(rewriter, op);
    ++count;
  }
  return count;
}
