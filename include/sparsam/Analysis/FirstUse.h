// Which dimensions of a parameter the model contracts, and along which it is stacked.
#ifndef SPARSAM_ANALYSIS_FIRSTUSE_H
#define SPARSAM_ANALYSIS_FIRSTUSE_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::sparsam {

struct FirstContraction {
  Operation *op;
  /// The parameter's dimensions that it sums over, ascending.
  SmallVector<int64_t> dims;
  /// Those along which the parameter is many matrices, ascending: it meets one of them at
  /// a time, in slices that loops over layers take, or each its own, as a batched product
  /// does.
  SmallVector<int64_t> stack;
};

/// The first operation in program order that contracts dimensions of `parameter`,
/// seen through transposes, reshapes, elementwise work and slices of one layer, in
/// loops too; none where no operation does, or where it contracts a part of a dimension.
std::optional<FirstContraction> findFirstContraction(Value parameter);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_FIRSTUSE_H
