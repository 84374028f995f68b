#include "Buffers.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace mlir::sparsam {

/// The value that a loop-carried memref has before the first iteration, where every
/// iteration hands on the same buffer.
static Value getCarriedRoot(LoopLikeOpInterface loop, BlockArgument carried) {
  OpOperand *init = loop.getTiedLoopInit(carried);
  OpOperand *yielded = loop.getTiedLoopYieldedValue(carried);
  if (!init || !yielded)
    return {};
  // The walk from the yielded value ends at `carried` itself, so that a loop that
  // swaps two buffers is not taken for one that keeps them.
  Value value = yielded->get();
  while (value != carried) {
    auto view = value.getDefiningOp<ViewLikeOpInterface>();
    if (!view)
      return {};
    value = view.getViewSource();
  }
  return init->get();
}

Value getRootBuffer(Value memref) {
  while (true) {
    if (auto argument = dyn_cast<BlockArgument>(memref)) {
      Operation *parent = argument.getOwner()->getParentOp();
      if (isa<FunctionOpInterface>(parent))
        return memref;
      auto loop = dyn_cast<LoopLikeOpInterface>(parent);
      if (!loop)
        return {};
      memref = getCarriedRoot(loop, argument);
      if (!memref)
        return {};
      continue;
    }
    Operation *op = memref.getDefiningOp();
    if (isa<memref::AllocOp, memref::AllocaOp, memref::GetGlobalOp>(op))
      return memref;
    if (auto view = dyn_cast<ViewLikeOpInterface>(op)) {
      memref = view.getViewSource();
    } else if (auto metadata = dyn_cast<memref::ExtractStridedMetadataOp>(op)) {
      memref = metadata.getSource();
    } else if (auto loop = dyn_cast<LoopLikeOpInterface>(op)) {
      BlockArgument carried = loop.getTiedLoopRegionIterArg(cast<OpResult>(memref));
      if (!carried)
        return {};
      memref = getCarriedRoot(loop, carried);
      if (!memref)
        return {};
    } else {
      return {};
    }
  }
}

Value lookThroughViews(Value memref) {
  while (isa_and_nonnull<memref::CastOp, memref::ExpandShapeOp, memref::CollapseShapeOp>(
      memref.getDefiningOp()))
    memref = cast<ViewLikeOpInterface>(memref.getDefiningOp()).getViewSource();
  return memref;
}

void forEachUserThroughViews(Value buffer, function_ref<void(Operation *)> visit) {
  SmallVector<Value> pending{buffer};
  llvm::DenseSet<Value> seen{buffer};
  auto add = [&](Value value) {
    if (isa<BaseMemRefType>(value.getType()) && seen.insert(value).second)
      pending.push_back(value);
  };
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      visit(user);
      // Any memref that an operation makes from this one may be a view of it.
      llvm::for_each(user->getResults(), add);
      // What goes into an operation with regions, or is handed on by one of its
      // terminators, may be any of its blocks' arguments or of its results.
      Operation *outer = user;
      if (user->hasTrait<OpTrait::IsTerminator>())
        outer = user->getParentOp();
      if (isa<FunctionOpInterface>(outer))
        continue;
      llvm::for_each(outer->getResults(), add);
      for (Region &region : outer->getRegions())
        for (Block &block : region)
          llvm::for_each(block.getArguments(), add);
    }
  }
}

std::optional<StridedLayout> getStridedLayout(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref || !memref.hasStaticShape())
    return std::nullopt;
  StridedLayout layout;
  if (failed(memref.getStridesAndOffset(layout.strides, layout.offset)) ||
      llvm::any_of(layout.strides, ShapedType::isDynamic))
    return std::nullopt;
  return layout;
}

Type getTypeAtAnyOffset(Type type) {
  std::optional<StridedLayout> layout = getStridedLayout(type);
  auto memref = dyn_cast<MemRefType>(type);
  if (!layout || memref.getLayout().isIdentity())
    return type;
  return MemRefType::get(
      memref.getShape(), memref.getElementType(),
      StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, layout->strides),
      memref.getMemorySpace());
}

std::optional<int64_t> getBytes(MemRefType type) {
  Type element = type.getElementType();
  int64_t parts = 1;
  if (auto complex = dyn_cast<ComplexType>(element)) {
    element = complex.getElementType();
    parts = 2;
  }
  if (!element.isIntOrIndexOrFloat())
    return std::nullopt;
  int64_t bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  // LLVM pads an element of an odd width to a power of two.
  return type.getNumElements() * parts *
         static_cast<int64_t>(llvm::PowerOf2Ceil(llvm::divideCeil(bits, 8)));
}

} // namespace mlir::sparsam
