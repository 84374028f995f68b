#ifndef SPARSAM_ANALYSIS_GRADIENTSEARCH
#define SPARSAM_ANALYSIS_GRADIENTSEARCH

#include "sparsam/Analysis/ElementwiseSlice.h"

namespace mlir::sparsam {

/// Where the gradient of a parameter is, found from the parameter's new value.
struct GradientLocation {
  /// The gradient is their sum, in the parameter's own type. Where there are several,
  /// `root` is a sum of them and of `others`, and nothing else takes them.
  SmallVector<Value> addends;
  Value root;
  SmallVector<Value> others;
  /// Products, reductions or loops between the gradient and the new value. An optimizer
  /// with such work is not elementwise in the gradient.
  SmallVector<Value> products;
  /// Why there is no gradient, where there is none.
  std::string reason;
  /// Whether a value that could be the gradient was met at all.
  bool ambiguous = false;

  explicit operator bool() const { return !addends.empty(); }
};

/// Looks for the gradient behind `update`, the new value of a parameter of type `type`
/// (a tensor type without encoding). `states` are the other values the step carries:
/// no gradient of the loss depends on the state of an optimizer. `inputs` are arguments
/// that it does not carry.
GradientLocation findGradient(Value update, RankedTensorType type,
                              const llvm::DenseSet<Value> &states,
                              const llvm::DenseSet<Value> &inputs,
                              Dependence &dependence);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_GRADIENTSEARCH
