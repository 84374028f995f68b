// Rule 9, results that are no parameter: these have the removed entries as well.
#include "Slicing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

/// `value` with its removed entries among the kept ones.
Value Slicing::complete(Value value) {
  ArrayRef<Axis> dims = plan.analysis.get(value);
  SmallVector<Slot> slots = plan.getSlots(dims);
  if (slots.empty() || plan.analysis.isUniform(value))
    return kept.lookup(value);
  return complete(value, dims, {}, slots);
}

/// The same in a region, along the dimensions of `slots`.
Value Slicing::complete(Value value, ArrayRef<Axis> dims, const SliceRegion &region,
                        ArrayRef<Slot> slots) {
  if (slots.empty())
    return lookUp(value, dims, region);
  Location loc = value.getLoc();
  Slot slot = slots.front();
  SliceRegion without(region);
  without.push_back(slot);
  llvm::sort(without);
  Value some = complete(value, dims, region, slots.drop_front());
  Value once = complete(value, dims, without, slots.drop_front());
  auto type = cast<RankedTensorType>(some.getType());
  int64_t keep = type.getDimSize(slot.first);
  SmallVector<int64_t> shape(type.getShape());
  shape[slot.first] = plan.analysis.axes.getSize(slot.second);
  unsigned rank = shape.size();
  SmallVector<AffineExpr> source;
  for (unsigned dim = 0; dim < rank; ++dim)
    source.push_back(dim == slot.first ? builder.getAffineConstantExpr(0)
                                       : builder.getAffineDimExpr(dim));
  Value empty = buildEmpty(builder, loc, shape, type.getElementType());
  SmallVector<AffineMap> maps{AffineMap::get(rank, 0, source, builder.getContext()),
                              builder.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  Value all =
      linalg::GenericOp::create(builder, loc, empty.getType(), once, empty, maps, loops,
                                [](OpBuilder &nested, Location at, ValueRange arguments) {
                                  linalg::YieldOp::create(nested, at, arguments[0]);
                                })
          .getResult(0);
  auto constant = [&](int64_t number) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, number);
  };
  Value indices = kept.lookup(plan.getIndices(slot.second));
  auto made = scf::ForOp::create(
      builder, loc, constant(0), constant(keep), constant(1), all,
      [&](OpBuilder &nested, Location at, Value number, ValueRange carried) {
        Value stored = tensor::ExtractOp::create(nested, at, indices, number);
        Value place =
            arith::IndexCastUIOp::create(nested, at, nested.getIndexType(), stored);
        SmallVector<OpFoldResult> from(rank, nested.getIndexAttr(0)), to(from), sizes,
            strides(rank, nested.getIndexAttr(1));
        for (int64_t size : type.getShape())
          sizes.push_back(nested.getIndexAttr(size));
        sizes[slot.first] = nested.getIndexAttr(1);
        from[slot.first] = number;
        to[slot.first] = place;
        Value entry =
            tensor::ExtractSliceOp::create(nested, at, some, from, sizes, strides);
        Value inserted = tensor::InsertSliceOp::create(nested, at, entry, carried[0], to,
                                                       sizes, strides);
        scf::YieldOp::create(nested, at, inserted);
      });
  return made.getResult(0);
}
