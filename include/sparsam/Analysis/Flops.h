// What the products of a function cost, read off its operations.
#ifndef SPARSAM_ANALYSIS_FLOPS_H
#define SPARSAM_ANALYSIS_FLOPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sparsam {

/// Multiplications and additions of products, by what computes them. Elementwise work,
/// sums and the squares of a norm are none.
struct FlopCount {
  /// Of dense tensors.
  int64_t contractions = 0;
  int64_t convolutions = 0;
  int64_t einsums = 0;
  /// With a pattern, and sampled on one.
  int64_t spmm = 0;
  int64_t sddmm = 0;

  int64_t getTotal() const;
  FlopCount &operator+=(const FlopCount &other);
  FlopCount operator*(int64_t times) const;

  using Kind = std::pair<StringRef, int64_t FlopCount::*>;
  /// All of them with their names, for tables.
  static ArrayRef<Kind> getKinds();
};

/// Why what an operation costs is not known; what is counted then is a lower bound.
using UnknownFlops = function_ref<void(Operation *op, StringRef reason)>;

/// Counts one call of `function`: loops as often as they run, the dearer branch of an
/// `scf.if`, and what called functions cost. A loop of unknown length counts once.
FlopCount countFlops(func::FuncOp function, UnknownFlops onUnknown);

/// The same, with a remark where what is counted is a lower bound.
FlopCount countFlops(func::FuncOp function);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_FLOPS_H
