// Which dimensions of a parameter the model contracts.
#ifndef SPARSAM_ANALYSIS_FIRSTUSE_H
#define SPARSAM_ANALYSIS_FIRSTUSE_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::sparsam {

struct FirstContraction {
  Operation *op;
  /// The parameter's dimensions that it sums over, ascending.
  SmallVector<int64_t> dims;
};

/// The first operation in program order that contracts dimensions of `parameter`,
/// seen through transposes, reshapes and elementwise work; none where no operation
/// does, or where it contracts a part of a dimension.
std::optional<FirstContraction> findFirstContraction(Value parameter);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_FIRSTUSE_H
