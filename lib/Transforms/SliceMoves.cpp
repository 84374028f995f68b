#include "SliceMoves.h"
#include "sparsam/IR/SparsamOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

bool sparsam::isMove(Operation *op) {
  return isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp,
             tensor::InsertSliceOp, tensor::PadOp, tensor::ConcatOp, tensor::CastOp>(op);
}

/// The dimension of the smaller tensor that each of the larger is; none for those
/// that a slice drops.
static SmallVector<SmallVector<unsigned>>
getPartDims(unsigned rank, const llvm::SmallBitVector &dropped) {
  SmallVector<SmallVector<unsigned>> dims(rank);
  unsigned next = 0;
  for (unsigned dim = 0; dim < rank; ++dim)
    if (!dropped.test(dim))
      dims[dim].push_back(next++);
  return dims;
}

static SmallVector<unsigned> getWholeDims(const llvm::SmallBitVector &dropped) {
  SmallVector<unsigned> dims;
  for (unsigned dim = 0; dim < dropped.size(); ++dim)
    if (!dropped.test(dim))
      dims.push_back(dim);
  return dims;
}

SliceRegion sparsam::getMovedRegion(const SlicePlan &plan, OpOperand &use,
                                    const SliceRegion &region) {
  Operation *op = use.getOwner();
  ArrayRef<Axis> dims = plan.analysis.get(use);
  auto same = [](unsigned dim) { return SmallVector<unsigned>{dim}; };
  auto inGroups = [&](ArrayRef<ReassociationIndices> groups) {
    return plan.project(dims, region, [&](unsigned dim) {
      for (auto [number, group] : llvm::enumerate(groups))
        if (llvm::is_contained(group, static_cast<int64_t>(dim)))
          return SmallVector<unsigned>{static_cast<unsigned>(number)};
      return SmallVector<unsigned>();
    });
  };
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return inGroups(collapse.getReassociationIndices());
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    auto groups = expand.getReassociationIndices();
    return plan.project(dims, region, [&](unsigned dim) {
      return llvm::to_vector_of<unsigned>(groups[dim]);
    });
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    auto parts = getPartDims(dims.size(), slice.getDroppedDims());
    return plan.project(dims, region, [&](unsigned dim) { return parts[dim]; });
  }
  if (auto slice = dyn_cast<tensor::InsertSliceOp>(op);
      slice && &use == &slice.getSourceMutable()) {
    SmallVector<unsigned> whole = getWholeDims(slice.getDroppedDims());
    return plan.project(dims, region,
                        [&](unsigned dim) { return SmallVector<unsigned>{whole[dim]}; });
  }
  return plan.project(dims, region, same);
}

namespace {

struct Places {
  SmallVector<OpFoldResult> offsets, sizes, strides;
};

} // namespace

static OpFoldResult mapPlace(OpFoldResult at, const IRMapping &mapping) {
  if (auto value = dyn_cast<Value>(at))
    return mapping.lookupOrDefault(value);
  return at;
}

/// Where a slice is in the region of the whole.
static Places getPlaces(OpBuilder &builder, const SlicePlan &plan,
                        OffsetSizeAndStrideOpInterface op, ArrayRef<Axis> whole,
                        const SliceRegion &wholeRegion, ArrayRef<int64_t> partShape,
                        const llvm::SmallBitVector &dropped, const IRMapping &mapping) {
  auto mapped = [&](OpFoldResult at) { return mapPlace(at, mapping); };
  Places places;
  unsigned next = 0;
  for (unsigned dim = 0; dim < whole.size(); ++dim) {
    OpFoldResult offset = mapped(op.getMixedOffsets()[dim]);
    int64_t fixed = op.getStaticOffsets()[dim];
    if (plan.hasSlot(whole[dim]))
      offset = builder.getIndexAttr(ShapedType::isDynamic(fixed)
                                        ? 0
                                        : plan.getOffset(whole, dim, fixed, wholeRegion));
    places.offsets.push_back(offset);
    places.sizes.push_back(
        builder.getIndexAttr(dropped.test(dim) ? 1 : partShape[next++]));
    places.strides.push_back(mapped(op.getMixedStrides()[dim]));
  }
  return places;
}

Value sparsam::createMove(OpBuilder &builder, const SlicePlan &plan, Operation *op,
                          const SliceRegion &region,
                          function_ref<Value(OpOperand &)> lookUp,
                          const IRMapping &mapping) {
  Location loc = op->getLoc();
  ArrayRef<Axis> dims = plan.analysis.get(op->getResult(0));
  SmallVector<Value> operands;
  for (OpOperand &use : op->getOpOperands())
    if (isa<TensorType>(use.get().getType()))
      operands.push_back(lookUp(use));
  SmallVector<int64_t> shape = plan.getShape(dims, region);
  auto type = cast<RankedTensorType>(op->getResult(0).getType()).clone(shape);
  auto mapped = [&](OpFoldResult at) { return mapPlace(at, mapping); };
  auto shapeOf = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getShape();
  };
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](tensor::ExpandShapeOp reshape) {
        return tensor::ExpandShapeOp::create(builder, loc, type, operands[0],
                                             reshape.getReassociationIndices());
      })
      .Case([&](tensor::CollapseShapeOp reshape) {
        return tensor::CollapseShapeOp::create(builder, loc, type, operands[0],
                                               reshape.getReassociationIndices());
      })
      .Case([&](tensor::ExtractSliceOp slice) {
        OpOperand &source = slice.getSourceMutable();
        Places at = getPlaces(builder, plan, slice, plan.analysis.get(source),
                              getMovedRegion(plan, source, region), shape,
                              slice.getDroppedDims(), mapping);
        return tensor::ExtractSliceOp::create(builder, loc, type, operands[0], at.offsets,
                                              at.sizes, at.strides);
      })
      .Case([&](tensor::InsertSliceOp slice) {
        Places at = getPlaces(builder, plan, slice, dims, region, shapeOf(operands[0]),
                              slice.getDroppedDims(), mapping);
        return tensor::InsertSliceOp::create(builder, loc, operands[0], operands[1],
                                             at.offsets, at.sizes, at.strides);
      })
      .Case([&](tensor::PadOp pad) {
        SmallVector<OpFoldResult> low, high;
        for (unsigned dim = 0; dim < dims.size(); ++dim) {
          if (!plan.hasSlot(dims[dim])) {
            low.push_back(mapped(pad.getMixedLowPad()[dim]));
            high.push_back(mapped(pad.getMixedHighPad()[dim]));
            continue;
          }
          int64_t before = plan.getOffset(dims, dim, pad.getStaticLow()[dim], region);
          low.push_back(builder.getIndexAttr(before));
          high.push_back(
              builder.getIndexAttr(shape[dim] - before - shapeOf(operands[0])[dim]));
        }
        Value fill = mapping.lookupOrDefault(pad.getConstantPaddingValue());
        return tensor::PadOp::create(builder, loc, type, operands[0], low, high, fill);
      })
      .Case([&](tensor::ConcatOp concat) {
        return tensor::ConcatOp::create(builder, loc, type, concat.getDim(), operands);
      })
      .Case([&](tensor::CastOp) {
        return tensor::CastOp::create(builder, loc, type, operands[0]);
      })
      .Default([](Operation *) { return Value(); });
}
