#ifndef SPARSAM_LIB_CONVERSION_TOSPARSETENSOR_ARGUMENTLAYOUTS_H
#define SPARSAM_LIB_CONVERSION_TOSPARSETENSOR_ARGUMENTLAYOUTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sparsam {

/// The layouts of a function's arguments, taken away for as long as a pass is at work
/// that copies what has one. The arguments are row-major, so only where they start is
/// lost.
class ArgumentLayouts {
public:
  /// Takes the layouts away.
  explicit ArgumentLayouts(func::FuncOp function);
  /// Gives them back, to views of the arguments too. Emits an error where a view is of an
  /// operation that is not known.
  LogicalResult restore();

private:
  func::FuncOp function;
  SmallVector<Type> types;
};

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_CONVERSION_TOSPARSETENSOR_ARGUMENTLAYOUTS_H
