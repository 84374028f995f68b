// Rule 9: a function made again with the kept entries of its sliced axes.
#ifndef SPARSAM_LIB_TRANSFORMS_SLICING_H
#define SPARSAM_LIB_TRANSFORMS_SLICING_H

#include "SliceConstants.h"

namespace mlir::sparsam {

/// Makes the body of a function again, at the sizes of a plan.
class Slicing {
public:
  Slicing(func::FuncOp function, const SlicePlan &plan)
      : function(function), plan(plan), constants(function, plan),
        builder(function.getContext()) {}

  void run();

private:
  void nameGroups();
  Value lookUp(OpOperand &use, const SliceRegion &region);
  Value lookUp(Value value, ArrayRef<Axis> dims, const SliceRegion &region);
  Value complete(Value value);
  Value complete(Value value, ArrayRef<Axis> dims, const SliceRegion &region,
                 ArrayRef<Slot> slots);
  Value repeat(Value value, ArrayRef<Axis> dims, const SliceRegion &region);
  SmallVector<Value> lookUpTables(linalg::LinalgOp op,
                                  function_ref<unsigned(unsigned)> dimOf,
                                  const SliceRegion &region);
  Operation *finish(linalg::LinalgOp op, ValueRange operands, ArrayRef<Value> tables);
  void record(Value value, const SliceRegion &region, Value made);
  void visit(Block &block);
  void visit(Operation *op);
  Operation *clone(Operation *op);
  void copy(Operation *op);
  void sliceLinalg(linalg::LinalgOp op);
  Operation *build(linalg::LinalgOp op, const SliceRegion &loops, ValueRange inits);
  Value addRemoved(linalg::LinalgOp op, const SliceRegion &region, ArrayRef<Slot> reduced,
                   Value sum);
  void sliceMove(Operation *op);
  void sliceElementwise(Operation *op);
  void sliceLoop(scf::ForOp op);
  void sliceBranch(scf::IfOp op);
  void takeDensify(DensifyOp op);
  void takeRestrict(RestrictOp op);
  SmallVector<SliceRegion> getRegionsToMake(Value value);

  func::FuncOp function;
  const SlicePlan &plan;
  SliceConstants constants;
  OpBuilder builder;
  /// Everything, of tensors the kept entries.
  IRMapping kept;
  std::map<std::pair<void *, SliceRegion>, Value> removed;
};

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_SLICING_H
