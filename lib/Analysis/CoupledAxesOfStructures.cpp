// Axes of parameters that are stored as slices.
#include "sparsam/Analysis/CoupledAxes.h"
#include "sparsam/IR/SparsamOps.h"

using namespace mlir;
using namespace mlir::sparsam;

/// Calls `found` with each axis of a structure, a factor of `dims`.
static void forEachFactor(Axes &axes, ArrayRef<Axis> dims, const MatrixView &view,
                          ArrayRef<SlicedAxis> sliced, Location loc,
                          function_ref<void(const SlicedAxis &, Axis)> found) {
  auto flatten = [&](ArrayRef<int64_t> side) {
    return axes.makeProduct(
        llvm::map_to_vector(side, [&](int64_t dim) { return dims[dim]; }));
  };
  Axis rows = flatten(view.in), columns = flatten(view.out);
  for (const SlicedAxis &axis : sliced) {
    for (const AxisSegment &segment : axis.rows)
      found(axis, axes.getFactor(rows, segment, loc));
    for (const AxisSegment &segment : axis.columns)
      found(axis, axes.getFactor(columns, segment, loc));
  }
}

FailureOr<SmallVector<int64_t>>
sparsam::getKeptShape(StructureInterface structure, RankedTensorType type,
                      function_ref<InFlightDiagnostic()> emitError) {
  if (failed(getParameterStorage(structure, type, emitError)))
    return failure();
  auto view = getMatrixView(structure, type, emitError);
  auto sliced = structure.getSlicedAxes();
  if (sliced.empty() || !view->isReshape())
    return llvm::to_vector(type.getShape());
  Axes axes;
  SmallVector<Axis> dims =
      llvm::map_to_vector(type.getShape(), [&](int64_t size) { return axes.make(size); });
  DenseMap<Axis, int64_t> keeps;
  SmallVector<std::pair<Axis, int64_t>> factors;
  forEachFactor(axes, dims, *view, sliced, UnknownLoc::get(type.getContext()),
                [&](const SlicedAxis &axis, Axis factor) {
                  factors.emplace_back(factor, axis.keep);
                });
  for (auto [factor, keep] : factors)
    keeps[axes.find(factor)] = keep;
  return llvm::map_to_vector(dims, [&](Axis dim) {
    return axes.evaluate(dim, [&](Axis leaf) {
      auto keep = keeps.find(leaf);
      return keep == keeps.end() ? axes.getSize(leaf) : keep->second;
    });
  });
}

void CoupledAxes::visitStructured(Operation *op, ArrayRef<Axis> dims,
                                  StructureInterface structure) {
  Location loc = op->getLoc();
  auto sliced = structure.getSlicedAxes();
  if (sliced.empty() || !structure.getStack().empty()) {
    std::string text;
    llvm::raw_string_ostream(text)
        << "a parameter is stored as " << structure << " along it";
    return blockAll(op, text);
  }
  auto type = cast<RankedTensorType>(isa<DensifyOp>(op) ? op->getResult(0).getType()
                                                        : op->getOperand(0).getType());
  auto view = getMatrixView(structure, type, [&] { return op->emitOpError(); });
  if (failed(view))
    return;
  if (!view->isReshape())
    return blockAll(op, "its matrix is not the parameter in its own order");
  forEachFactor(axes, dims, *view, sliced, loc, [&](const SlicedAxis &axis, Axis factor) {
    labels.push_back({op, axis.group, axis.keep, factor});
  });
}
