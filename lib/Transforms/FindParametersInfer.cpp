#include "FindParameters.h"
#include "sparsam/Analysis/ElementwiseSlice.h"
#include "sparsam/Transforms/Boundary.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Which results can be the new values of which arguments: those of the argument's type
/// that are elementwise work on it. What an optimizer does to a parameter is.
class Inference {
public:
  Inference(func::FuncOp function, func::ReturnOp terminator)
      : function(function), terminator(terminator) {
    for (Value value : terminator.getOperands())
      slices.push_back(ElementwiseSlice::of(value));
  }

  LogicalResult run(bool guessParameters) {
    SmallVector<unsigned> parameters;
    for (unsigned i = 0, e = function.getNumArguments(); i != e; ++i)
      if (function.getArgAttr(i, boundary::param))
        parameters.push_back(i);
    if (parameters.empty() && guessParameters && failed(guess(parameters)))
      return failure();
    for (unsigned i : parameters) {
      SmallVector<unsigned> results = candidates(i);
      if (results.size() > 1)
        return undecided(i, results);
      if (!results.empty())
        pair(i, results.front());
    }
    // State of the optimizer: what meets the new values of parameters.
    for (unsigned i = 0, e = function.getNumArguments(); i != e; ++i) {
      if (function.getArgAttr(i, boundary::param))
        continue;
      SmallVector<unsigned> results = candidates(i);
      if (results.size() == 1 && entersUpdate(i))
        pair(i, results.front());
      else if (results.size() > 1 && entersUpdate(i))
        return undecided(i, results);
    }
    return success();
  }

private:
  SmallVector<unsigned> candidates(unsigned i) {
    Value argument = function.getArgument(i);
    SmallVector<unsigned> results;
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    for (auto [k, value] : llvm::enumerate(terminator.getOperands())) {
      auto result = dyn_cast<RankedTensorType>(value.getType());
      if (type && result && isa<FloatType>(type.getElementType()) &&
          type.getShape() == result.getShape() &&
          type.getElementType() == result.getElementType() && value != argument &&
          !taken.contains(k) && slices[k].reaches(argument) && !slices[k].sources.empty())
        results.push_back(k);
    }
    return results;
  }

  /// An argument is a parameter if a product in its new value depends on it: gradients
  /// depend on the parameters, not on the optimizer's state.
  LogicalResult guess(SmallVectorImpl<unsigned> &parameters) {
    Dependence dependence;
    for (unsigned i = 0, e = function.getNumArguments(); i != e; ++i)
      if (llvm::any_of(candidates(i), [&](unsigned k) {
            return llvm::any_of(slices[k].sources, [&](Value source) {
              return dependence.arguments(source).contains(function.getArgument(i));
            });
          }))
        parameters.push_back(i);
    if (parameters.empty())
      return function.emitError("no argument is known to be a parameter; write ")
             << boundary::param << " = \"path\" and " << boundary::updates
             << " = k : i64 on each, where result k is its new value";
    for (unsigned i : parameters)
      function.setArgAttr(
          i, boundary::param,
          StringAttr::get(function.getContext(), getArgumentName(function, i)));
    return success();
  }

  bool entersUpdate(unsigned i) {
    return llvm::any_of(
        taken, [&](unsigned k) { return slices[k].reaches(function.getArgument(i)); });
  }

  LogicalResult undecided(unsigned i, ArrayRef<unsigned> results) {
    InFlightDiagnostic error = function.emitError("argument ");
    error << i << " ('" << getArgumentName(function, i)
          << "') could be updated by results ";
    llvm::interleaveComma(results, error);
    return error << "; write " << boundary::updates << " = k : i64 on it";
  }

  void pair(unsigned argument, unsigned result) {
    taken.insert(result);
    Builder builder(function.getContext());
    function.setArgAttr(argument, boundary::updates, builder.getI64IntegerAttr(result));
  }

  func::FuncOp function;
  func::ReturnOp terminator;
  SmallVector<ElementwiseSlice> slices;
  llvm::DenseSet<unsigned> taken;
};

} // namespace

LogicalResult mlir::sparsam::inferBoundary(func::FuncOp function, bool guessParameters) {
  if (!function.getBody().hasOneBlock())
    return success();
  return Inference(function, cast<func::ReturnOp>(function.front().getTerminator()))
      .run(guessParameters);
}
