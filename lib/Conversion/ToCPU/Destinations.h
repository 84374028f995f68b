// Decides, on tensors, which buffer each result will be in.
#ifndef SPARSAM_CONVERSION_TOCPU_DESTINATIONS_H
#define SPARSAM_CONVERSION_TOCPU_DESTINATIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::sparsam::cpu {

/// What a destination holds before its op runs, where that is known.
struct Contents {
  enum { Undefined, Scalar, Unknown } kind = Unknown;
  Value scalar;
};

class Destinations {
public:
  Destinations(func::FuncOp function) : function(function), builder(function) {}

  /// Gives every destination whose contents are known a buffer of its own.
  void giveOwn();
  /// Computes what updates the function's arguments in these.
  void donate(int64_t &donated, int64_t &missed);

private:
  void giveOwn(OpOperand &destination);
  /// What `destination` holds; a constant's scalar is built at the insertion point.
  Contents getContents(Value destination);
  /// Sets a destination to `buffer`, with the contents it had.
  void set(OpOperand &destination, Value buffer, const Contents &contents);
  /// Computes `result`, which the block of `argument` ends with, in the argument. Fails
  /// where the op that computes it reads the argument at other indices than it writes.
  LogicalResult donate(BlockArgument argument, Value result);
  LogicalResult readInPlace(linalg::GenericOp op, OpOperand &init, Value buffer,
                            BlockArgument argument);
  void sinkBelowReaders(Operation *op, BlockArgument argument);

  func::FuncOp function;
  OpBuilder builder;
};

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_CONVERSION_TOCPU_DESTINATIONS_H
