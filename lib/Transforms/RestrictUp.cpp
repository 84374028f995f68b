// Rule 2: restrict(f(a, b, c)) = f(restrict a, restrict b, restrict c).
//
// The values of a restriction are elements of its source, so elementwise work may
// run on them alone. This is what turns the optimizer of a structured parameter into
// one on stored values.
#include "Rules.h"
#include "Stacks.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Analysis/Views.h"
#include "sparsam/Transforms/Algebra.h"

using namespace mlir;
using namespace mlir::sparsam;

static StoredPattern patternOf(RestrictOp restrict) {
  return {restrict.getStructure(), SmallVector<Value>(restrict.getPattern())};
}

/// Whether elementwise work between `value` and another restriction on the same
/// pattern will ask for the restriction of `value` too. Whoever comes first would
/// clone everything in front of `value`; waiting keeps a graph of shared values from
/// being cloned once for each path through it.
static bool isAwaited(Value value, const StoredPattern &pattern) {
  SmallPtrSet<Operation *, 16> seen;
  SmallVector<Value> worklist{value};
  while (!worklist.empty()) {
    Value current = worklist.pop_back_val();
    for (Operation *user : current.getUsers()) {
      if (!seen.insert(user).second)
        continue;
      auto restrict = dyn_cast<RestrictOp>(user);
      if (restrict && current != value && patternOf(restrict) == pattern)
        return true;
      auto elementwise = matchElementwise(user);
      if (succeeded(elementwise) && !elementwise->isCopy())
        worklist.push_back(user->getResult(0));
    }
  }
  return false;
}

namespace {

struct RestrictElementwise : OpRewritePattern<RestrictOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RestrictOp restrict,
                                PatternRewriter &rewriter) const override {
    auto elementwise = matchElementwise(restrict.getSource().getDefiningOp());
    if (failed(elementwise))
      return rewriter.notifyMatchFailure(restrict, "the source is not elementwise work");
    if (elementwise->isCopy() && elementwise->operands[0].access != ElementAccess::Same)
      return rewriter.notifyMatchFailure(restrict, "a transposing copy only moves");
    StoredPattern pattern = patternOf(restrict);
    if (isAwaited(restrict.getSource(), pattern))
      return rewriter.notifyMatchFailure(restrict, "work further down comes first");
    SmallVector<Value> operands;
    for (const ElementwiseOperand &operand : elementwise->operands) {
      if (operand.access == ElementAccess::Scalar) {
        operands.push_back(operand.value);
        continue;
      }
      Value source = operand.value;
      if (operand.access == ElementAccess::Permuted)
        source = createTranspose(rewriter, restrict.getLoc(), source,
                                 invertPermutation(operand.dims));
      operands.push_back(
          getOrCreateRestrict(rewriter, restrict.getLoc(), source, pattern));
    }
    rewriter.replaceOp(restrict,
                       cloneElementwise(rewriter, *elementwise, operands,
                                        restrict.getValues().getType().getShape()));
    return success();
  }

private:
  /// From the result's dimension of each of the operand's to the reverse.
  static SmallVector<int64_t> invertPermutation(ArrayRef<int64_t> dims) {
    SmallVector<int64_t> inverse(dims.size());
    for (auto [position, dim] : llvm::enumerate(dims))
      inverse[dim] = position;
    return inverse;
  }
};

/// A source with equal elements is made at the values' shape.
struct RestrictUniform : OpRewritePattern<RestrictOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RestrictOp restrict,
                                PatternRewriter &rewriter) const override {
    Value values = remakeUniform(rewriter, restrict.getSource(),
                                 restrict.getValues().getType().getShape());
    if (!values)
      return rewriter.notifyMatchFailure(restrict, "the source's elements differ");
    rewriter.replaceOp(restrict, values);
    return success();
  }
};

/// Through a transposing copy or a reshape: the same pattern, seen in another view.
struct RestrictLayoutChange : OpRewritePattern<RestrictOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RestrictOp restrict,
                                PatternRewriter &rewriter) const override {
    auto change = matchLayoutChange(restrict.getSource().getDefiningOp());
    if (failed(change))
      return rewriter.notifyMatchFailure(restrict, "the source is no change of layout");
    StructureInterface structure = getViewOfSource(*change, restrict.getStructure());
    if (!structure)
      return rewriter.notifyMatchFailure(restrict, "no view of what is moved fits");
    Location loc = restrict.getLoc();
    StoredPattern pattern{
        structure,
        reshapeStack(rewriter, loc, restrict.getPattern(),
                     restrict.getStructure().getStack().size(),
                     getStackShape(structure, change->getSourceType().getShape()))};
    Value values = getOrCreateRestrict(rewriter, loc, change->source, pattern);
    rewriter.replaceOp(
        restrict,
        createReshape(rewriter, loc, values, restrict.getValues().getType().getShape()));
    return success();
  }
};

} // namespace

void sparsam::populateRestrictUpPatterns(RewritePatternSet &patterns) {
  patterns.add<RestrictElementwise, RestrictUniform, RestrictLayoutChange>(
      patterns.getContext());
}
