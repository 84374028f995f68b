// What of a function is sliced: the axes, and the regions of its values.
#ifndef SPARSAM_LIB_TRANSFORMS_SLICEPLAN_H
#define SPARSAM_LIB_TRANSFORMS_SLICEPLAN_H

#include "sparsam/Analysis/CoupledAxes.h"

namespace mlir::sparsam {

/// An axis in a dimension of a tensor, or in a loop. Its kept entries are first, its
/// removed ones are the same all along the axis, so that one stands for all.
using Slot = std::pair<unsigned, Axis>;

/// A part of a tensor: the slots of which it is the removed entries; of all others it is
/// the kept ones. Sorted.
using SliceRegion = SmallVector<Slot, 2>;

/// Which of the axes of a function's stored slices can be sliced in it.
class SlicePlan {
public:
  explicit SlicePlan(func::FuncOp function);

  bool isEmpty() const { return keeps.empty() && taken.empty(); }
  unsigned getNumGroups() const { return groups.size(); }
  /// Whether a densify or restrict of a slice is taken; others stay.
  bool isTaken(Operation *op) const { return taken.contains(op); }

  /// Of dimensions or loops.
  SmallVector<Slot> getSlots(ArrayRef<Axis> dims) const;
  /// Those of the loops of `op`, the ones that are reduced apart.
  std::pair<SmallVector<Slot>, SmallVector<Slot>> splitSlots(linalg::LinalgOp op) const;
  SmallVector<int64_t> getShape(ArrayRef<Axis> dims, const SliceRegion &region) const;
  int64_t getSize(ArrayRef<Axis> dims, unsigned dim, const SliceRegion &region) const;
  int64_t getOffset(ArrayRef<Axis> dims, unsigned dim, int64_t offset,
                    const SliceRegion &region) const;
  bool hasSlot(Axis dim) const { return !getSlots(dim).empty(); }
  /// The entries that an axis has lost.
  int64_t getLost(Axis axis) const;

  /// All regions of some slots, the kept entries first.
  static SmallVector<SliceRegion> getRegions(ArrayRef<Slot> slots);
  /// The region of dims `to` in which slots are removed that are removed in `region` of a
  /// dimension that `from` gives for theirs; several, or none.
  SliceRegion project(ArrayRef<Axis> to, const SliceRegion &region,
                      function_ref<SmallVector<unsigned>(unsigned)> from) const;

  /// The sliced group of each dimension of what takes all entries; null for none.
  SmallVector<StringAttr> getTakenGroups(OpOperand &use) const;
  /// The kept entries of a sliced axis, an argument of the function.
  Value getIndices(Axis axis) const { return indices.lookup(analysis.axes.find(axis)); }

  mutable CoupledAxes analysis;

  /// The slots of `region`, of a use of `value`, in which its entries differ.
  SliceRegion getOwnRegion(Value value, const SliceRegion &region) const;

private:
  /// The size of a leaf of a dimension in a region.
  int64_t getKept(unsigned dim, Axis leaf, const SliceRegion &region) const;
  void findKeeps();
  void checkTakingAll(func::FuncOp function);
  void checkUnlabelled();
  void dropBlocked();

  DenseMap<Axis, int64_t> keeps;
  DenseMap<Axis, StringAttr> groupOf;
  DenseMap<Axis, Value> indices;
  llvm::DenseSet<StringAttr> groups;
  llvm::DenseSet<Operation *> taken;
};

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_SLICEPLAN_H
