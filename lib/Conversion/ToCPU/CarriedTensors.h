// What the passes on loops that carry tensors share.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_CARRIEDTENSORS_H
#define SPARSAM_LIB_CONVERSION_TOCPU_CARRIEDTENSORS_H

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <optional>

namespace mlir::sparsam {

/// The end of a loop's body, and what it carries, in order.
struct LoopBody {
  scf::YieldOp yield;
  SmallVector<Value> carried;
};

/// None for what is no loop.
std::optional<LoopBody> getLoopBody(Operation *op);

/// A copy of a tensor, made in front of `op`.
Value copyBefore(Operation *op, Value value);

/// `value` after it was written over `buffer`, which is carried, in front of `op`.
Value writeBefore(Operation *op, Value value, Value buffer);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_CONVERSION_TOCPU_CARRIEDTENSORS_H
