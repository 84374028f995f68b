// Which regions of the values of a function are known constants: of a densified slice
// the removed entries are zero, and so on from there.
#ifndef SPARSAM_LIB_TRANSFORMS_SLICECONSTANTS_H
#define SPARSAM_LIB_TRANSFORMS_SLICECONSTANTS_H

#include "OffPattern.h"
#include "SlicePlan.h"

#include <map>

namespace mlir::sparsam {

class SliceConstants {
public:
  SliceConstants(func::FuncOp function, const SlicePlan &plan);

  /// Null where it is not known.
  TypedAttr get(Value value, const SliceRegion &region) const;
  TypedAttr get(OpOperand &use, const SliceRegion &region) const;
  /// Whether what a reduction combines in a region of its loops changes nothing.
  bool isNeutral(linalg::LinalgOp op, const SliceRegion &loops) const;

  /// The region of an operand that an op reads in a region of its loops.
  SliceRegion getOperandRegion(linalg::LinalgOp op, OpOperand &use,
                               const SliceRegion &loops) const;
  /// The region of a result that an op makes in a region of its loops.
  SliceRegion getResultRegion(linalg::LinalgOp op, unsigned result,
                              const SliceRegion &loops) const;

private:
  void visit(Block &block);
  void visit(Operation *op);
  void visit(linalg::LinalgOp op);
  void visit(scf::ForOp op);
  void visit(scf::IfOp op);
  void set(Value value, const SliceRegion &region, TypedAttr constant);
  TypedAttr evaluateUniform(Value value) const;
  TypedAttr evaluateMove(Operation *op, const SliceRegion &region) const;
  SmallVector<OffPattern> getArguments(linalg::LinalgOp op,
                                       const SliceRegion &loops) const;
  /// Whether something is new.
  bool join(Value value, const SliceRegion &region, TypedAttr constant, bool isFirst);

  const SlicePlan &plan;
  std::map<std::pair<void *, SliceRegion>, TypedAttr> known;
};

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_SLICECONSTANTS_H
