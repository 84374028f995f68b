// A step becomes the function of its parameters and its batch that returns gradients.
#include "LoopCarried.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "sparsam/IR/SparsamOps.h"
#include "sparsam/Transforms/Boundary.h"
#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_EXTRACTGRADIENTSPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

/// The gradients of `func` in program order; fails with an error where one cannot be
/// returned.
static FailureOr<SmallVector<GradientOp>> getGradients(func::FuncOp func) {
  SmallVector<GradientOp> gradients;
  WalkResult walk = func.walk([&](GradientOp gradient) -> WalkResult {
    if (gradient->getParentOp() != func)
      return gradient.emitOpError() << "of " << gradient.getParam()
                                    << " is inside of a loop or a branch, from where it "
                                       "cannot be returned; mark it outside";
    for (GradientOp other : gradients)
      if (other.getParam() == gradient.getParam())
        return gradient.emitOpError() << "is the second gradient of "
                                      << gradient.getParam() << " in this function";
    gradients.push_back(gradient);
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  return gradients;
}

/// Arguments that nothing uses any more, as the optimizer's state, go.
static void eraseUnusedArguments(func::FuncOp func) {
  eraseUnused(func);
  BitVector unused(func.getNumArguments());
  for (BlockArgument argument : func.getArguments())
    if (argument.use_empty())
      unused.set(argument.getArgNumber());
  (void)func.eraseArguments(unused);
}

static void returnGradients(func::FuncOp func, ArrayRef<GradientOp> gradients) {
  Builder builder(func.getContext());
  SmallVector<Value> values;
  SmallVector<DictionaryAttr> attrs;
  for (GradientOp gradient : gradients) {
    values.push_back(gradient.getValue());
    attrs.push_back(builder.getDictionaryAttr(
        builder.getNamedAttr(boundary::gradientOf, gradient.getParamAttr())));
  }
  func.front().getTerminator()->setOperands(values);
  func.setFunctionType(
      builder.getFunctionType(func.getArgumentTypes(), TypeRange(ValueRange(values))));
  func.setAllResultAttrs(attrs);
  for (GradientOp gradient : gradients) {
    gradient.replaceAllUsesWith(gradient.getValue());
    gradient.erase();
  }
  for (unsigned number = 0; number < func.getNumArguments(); ++number)
    func.removeArgAttr(number, boundary::updates);
  eraseUnusedArguments(func);
}

namespace {

struct ExtractGradientsPass
    : mlir::sparsam::impl::ExtractGradientsPassBase<ExtractGradientsPass> {
  using ExtractGradientsPassBase::ExtractGradientsPassBase;

  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (func.isExternal())
        continue;
      auto gradients = getGradients(func);
      if (failed(gradients))
        return signalPassFailure();
      if (gradients->empty())
        continue;
      for (BlockArgument argument : func.getArguments())
        if (StructureInterface structure = getStructure(argument.getType())) {
          emitError(argument.getLoc())
              << "argument " << argument.getArgNumber() << " is encoded as " << structure
              << "; gradients are extracted of the dense step, before "
                 "sparsam-apply-structure";
          return signalPassFailure();
        }
      returnGradients(func, *gradients);
      numGradients += gradients->size();
    }
    if (numGradients.getValue())
      return;
    getOperation().emitError()
        << "has no gradient; sparsam-find-parameters marks them, or tells why there is "
           "none";
    signalPassFailure();
  }
};

} // namespace
