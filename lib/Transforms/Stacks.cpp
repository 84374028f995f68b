#include "Stacks.h"
#include "sparsam/Analysis/Views.h"

using namespace mlir;
using namespace mlir::sparsam;

SmallVector<int64_t> sparsam::getStackShape(StructureInterface structure,
                                            ArrayRef<int64_t> shape) {
  return llvm::map_to_vector(structure.getStack(),
                             [&](int64_t dim) { return shape[dim]; });
}

SmallVector<Value> sparsam::reshapeStack(OpBuilder &builder, Location loc,
                                         ValueRange storage, unsigned count,
                                         ArrayRef<int64_t> stack) {
  return llvm::map_to_vector(storage, [&](Value value) {
    SmallVector<int64_t> shape(stack);
    llvm::append_range(
        shape, cast<RankedTensorType>(value.getType()).getShape().drop_front(count));
    return createReshape(builder, loc, value, shape);
  });
}

std::optional<Layers> sparsam::getStorageLayers(const Layers &layers,
                                                StructureInterface structure,
                                                int64_t rank) {
  ArrayRef<int64_t> stack = structure.getStack();
  if (!llvm::all_of(layers.dims,
                    [&](int64_t dim) { return llvm::is_contained(stack, dim); }))
    return std::nullopt;
  SmallVector<int64_t> places(rank);
  for (auto [place, dim] : llvm::enumerate(stack))
    places[dim] = place;
  return layers.mapDims(places);
}

std::optional<StructuredShape> sparsam::dropUnitStack(StructureInterface structure,
                                                      ArrayRef<int64_t> shape) {
  ArrayRef<int64_t> stack = structure.getStack();
  if (stack.empty() || llvm::any_of(stack, [&](int64_t dim) { return shape[dim] != 1; }))
    return std::nullopt;
  StructuredShape dropped;
  SmallVector<int64_t> places(shape.size());
  for (auto [dim, size] : llvm::enumerate(shape)) {
    places[dim] = dropped.shape.size();
    if (!llvm::is_contained(stack, dim))
      dropped.shape.push_back(size);
  }
  SmallVector<int64_t> in =
      llvm::map_to_vector(structure.getIn(), [&](int64_t dim) { return places[dim]; });
  dropped.structure = withView(structure, in);
  return dropped;
}
