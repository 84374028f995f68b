#include "SlicePlan.h"
#include "sparsam/Analysis/CoupledGroups.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/IR/SparsamOps.h"

using namespace mlir;
using namespace mlir::sparsam;

SlicePlan::SlicePlan(func::FuncOp function)
    : analysis(function, [](BlockArgument) { return false; }) {
  if (analysis.getLabels().empty())
    return;
  function.walk([&](Operation *op) {
    for (Value result : op->getResults())
      blockUnevenLeaves(analysis, result);
  });
  findKeeps();
  checkTakingAll(function);
  checkUnlabelled();
  dropBlocked();
}

static Value findIndices(const CoupledAxes::Label &label) {
  auto densify = dyn_cast<DensifyOp>(label.op);
  auto restrict = dyn_cast<RestrictOp>(label.op);
  auto structure = densify ? densify.getStructure() : restrict.getStructure();
  ValueRange pattern = densify ? ValueRange(densify.getStorage().drop_front())
                               : ValueRange(restrict.getPattern());
  auto axes = structure.getSlicedAxes();
  auto *own = llvm::find_if(
      axes, [&](const SlicedAxis &axis) { return axis.group == label.group; });
  return pattern[own - axes.begin()];
}

/// What takes all entries has to find them by their indices along a dimension.
void SlicePlan::checkTakingAll(func::FuncOp function) {
  Axes &axes = analysis.axes;
  for (Operation &op : function.front())
    for (OpOperand &use : op.getOpOperands()) {
      if (!analysis.takesAll(use))
        continue;
      for (Axis dim : analysis.get(use.get()))
        for (Axis leaf : axes.getLeaves(dim))
          if (keeps.contains(leaf) &&
              (!axes.isLeaf(dim) || !isa_and_nonnull<BlockArgument>(indices[leaf])))
            axes.block(leaf, op.getLoc(),
                       "a result of the step has all of its entries, in one dimension "
                       "with others");
    }
}

SmallVector<StringAttr> SlicePlan::getTakenGroups(OpOperand &use) const {
  SmallVector<StringAttr> found;
  for (Axis dim : analysis.get(use.get()))
    found.push_back(hasSlot(dim) ? groupOf.lookup(analysis.axes.find(dim))
                                 : StringAttr());
  auto elementwise = matchElementwise(use.get().getDefiningOp());
  if (failed(elementwise))
    return found;
  // The results of what is done on all entries have axes of their own.
  for (auto [number, operand] : llvm::enumerate(elementwise->operands)) {
    OpOperand &source = elementwise->op->getOpOperand(number);
    if (!analysis.takesAll(source) || operand.access == ElementAccess::Scalar)
      continue;
    for (auto [dim, group] : llvm::enumerate(getTakenGroups(source)))
      if (group)
        found[operand.access == ElementAccess::Same ? dim : operand.dims[dim]] = group;
  }
  return found;
}

void SlicePlan::findKeeps() {
  Axes &axes = analysis.axes;
  for (const CoupledAxes::Label &label : analysis.getLabels()) {
    taken.insert(label.op);
    if (axes.getSize(label.axis) == 1)
      continue;
    if (!axes.isLeaf(label.axis)) {
      axes.block(label.axis, label.op->getLoc(), "this function cuts it into parts");
      continue;
    }
    Axis axis = axes.find(label.axis);
    auto [known, isNew] = groupOf.try_emplace(axis, label.group);
    keeps[axis] = label.keep;
    indices[axis] = findIndices(label);
    if (!isNew && known->second != label.group)
      axes.block(axis, label.op->getLoc(),
                 "this function makes one axis of groups \"" + known->second.getValue() +
                     "\" and \"" + label.group.getValue() + "\"");
  }
}

/// The axes of a group are sliced in all stored slices that have them.
void SlicePlan::checkUnlabelled() {
  DenseMap<Operation *, llvm::DenseSet<Axis>> own;
  for (const CoupledAxes::Label &label : analysis.getLabels())
    own[label.op].insert(analysis.axes.find(label.axis));
  for (auto &[op, labelled] : own) {
    ArrayRef<Axis> dims = isa<DensifyOp>(op) ? analysis.get(op->getResult(0))
                                             : analysis.get(op->getOpOperand(0));
    for (Axis dim : dims)
      for (Axis leaf : analysis.axes.getLeaves(dim))
        if (keeps.contains(leaf) && !labelled.contains(leaf))
          analysis.axes.block(leaf, op->getLoc(),
                              "a parameter that has it keeps all of its entries");
  }
}

/// A slice with one axis that cannot be sliced is dense, and so its other axes are.
void SlicePlan::dropBlocked() {
  Axes &axes = analysis.axes;
  bool changed = true;
  while (changed) {
    changed = false;
    for (const CoupledAxes::Label &label : analysis.getLabels()) {
      const Axes::Obstacle *obstacle = nullptr;
      for (Axis leaf : axes.getLeaves(label.axis))
        if (!obstacle)
          obstacle = axes.getObstacle(leaf);
      if (!obstacle || !taken.erase(label.op))
        continue;
      changed = true;
      InFlightDiagnostic remark = label.op->emitRemark()
                                  << "group " << label.group
                                  << " is not sliced here: " << obstacle->reason;
      remark.attachNote(obstacle->loc) << "here";
      Location loc = obstacle->loc;
      for (const CoupledAxes::Label &other : analysis.getLabels())
        if (other.op == label.op)
          axes.block(other.axis, loc,
                     "a parameter has it together with group \"" +
                         label.group.getValue() + "\", which is not sliced");
    }
  }
  for (auto [axis, keep] :
       SmallVector<std::pair<Axis, int64_t>>(keeps.begin(), keeps.end())) {
    if (axes.getObstacle(axis)) {
      keeps.erase(axis);
      continue;
    }
    groups.insert(groupOf[axis]);
    if (keep == axes.getSize(axis))
      keeps.erase(axis);
  }
}

int64_t SlicePlan::getLost(Axis axis) const {
  return analysis.axes.getSize(axis) - keeps.lookup(analysis.axes.find(axis));
}

SmallVector<Slot> SlicePlan::getSlots(ArrayRef<Axis> dims) const {
  SmallVector<Slot> slots;
  if (keeps.empty())
    return slots;
  for (auto [dim, axis] : llvm::enumerate(dims))
    for (Axis leaf : analysis.axes.getLeaves(axis))
      if (keeps.contains(leaf))
        slots.emplace_back(dim, leaf);
  llvm::sort(slots);
  return slots;
}

std::pair<SmallVector<Slot>, SmallVector<Slot>>
SlicePlan::splitSlots(linalg::LinalgOp op) const {
  SmallVector<Slot> parallel, reduced;
  for (const Slot &slot : getSlots(analysis.getLoops(op)))
    (linalg::isReductionIterator(op.getIteratorTypesArray()[slot.first]) ? reduced
                                                                         : parallel)
        .push_back(slot);
  return {parallel, reduced};
}

int64_t SlicePlan::getKept(unsigned dim, Axis leaf, const SliceRegion &region) const {
  if (llvm::is_contained(region, Slot(dim, leaf)))
    return 1;
  auto keep = keeps.find(leaf);
  return keep == keeps.end() ? analysis.axes.getSize(leaf) : keep->second;
}

int64_t SlicePlan::getSize(ArrayRef<Axis> dims, unsigned dim,
                           const SliceRegion &region) const {
  return analysis.axes.evaluate(dims[dim],
                                [&](Axis leaf) { return getKept(dim, leaf, region); });
}

int64_t SlicePlan::getOffset(ArrayRef<Axis> dims, unsigned dim, int64_t offset,
                             const SliceRegion &region) const {
  return analysis.axes.evaluateOffset(
      dims[dim], offset, [&](Axis leaf) { return getKept(dim, leaf, region); });
}

SmallVector<int64_t> SlicePlan::getShape(ArrayRef<Axis> dims,
                                         const SliceRegion &region) const {
  SmallVector<int64_t> shape;
  for (unsigned dim = 0; dim < dims.size(); ++dim)
    shape.push_back(getSize(dims, dim, region));
  return shape;
}

SmallVector<SliceRegion> SlicePlan::getRegions(ArrayRef<Slot> slots) {
  SmallVector<SliceRegion> regions{{}};
  for (const Slot &slot : slots)
    for (unsigned number = 0, count = regions.size(); number < count; ++number) {
      SliceRegion larger = regions[number];
      larger.push_back(slot);
      regions.push_back(std::move(larger));
    }
  return regions;
}

SliceRegion SlicePlan::project(ArrayRef<Axis> to, const SliceRegion &region,
                               function_ref<SmallVector<unsigned>(unsigned)> from) const {
  SliceRegion projected;
  for (const Slot &slot : getSlots(to))
    for (unsigned dim : from(slot.first))
      if (llvm::is_contained(region, Slot(dim, slot.second))) {
        projected.push_back(slot);
        break;
      }
  return projected;
}

SliceRegion SlicePlan::getOwnRegion(Value value, const SliceRegion &region) const {
  SliceRegion own;
  const llvm::SmallBitVector &repeated = analysis.getRepeatedDims(value);
  for (const Slot &slot : region)
    if (!repeated.test(slot.first))
      own.push_back(slot);
  return own;
}
