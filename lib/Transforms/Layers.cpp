#include "Layers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

Layers Layers::mapDims(ArrayRef<int64_t> target) const {
  Layers mapped = *this;
  for (int64_t &dim : mapped.dims)
    dim = target[dim];
  return mapped;
}

Layers Layers::restrictedTo(ArrayRef<int64_t> wanted) const {
  Layers part;
  for (auto [dim, offset, size] : llvm::zip_equal(dims, offsets, sizes))
    if (llvm::is_contained(wanted, dim)) {
      part.dims.push_back(dim);
      part.offsets.push_back(offset);
      part.sizes.push_back(size);
    }
  return part;
}

std::optional<Layers> sparsam::matchLayers(OffsetSizeAndStrideOpInterface slice,
                                           ArrayRef<int64_t> shape) {
  if (!slice.hasUnitStride() || ShapedType::isDynamicShape(shape) ||
      ShapedType::isDynamicShape(slice.getStaticSizes()))
    return std::nullopt;
  Layers layers;
  SmallVector<OpFoldResult> offsets = slice.getMixedOffsets();
  for (auto [dim, size] : llvm::enumerate(slice.getStaticSizes())) {
    // A slice of the whole size starts at zero, wherever it says that it does.
    if (size == shape[dim])
      continue;
    layers.dims.push_back(dim);
    layers.offsets.push_back(offsets[dim]);
    layers.sizes.push_back(size);
  }
  return layers;
}

namespace {
/// What slice ops take.
struct SliceOperands {
  SmallVector<OpFoldResult> offsets, sizes, strides;
};
} // namespace

static SliceOperands getOperands(OpBuilder &builder, Value whole, const Layers &layers) {
  auto type = cast<RankedTensorType>(whole.getType());
  OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
  SliceOperands operands;
  operands.offsets.assign(type.getRank(), zero);
  operands.strides.assign(type.getRank(), one);
  for (int64_t size : type.getShape())
    operands.sizes.push_back(builder.getIndexAttr(size));
  for (auto [dim, offset, size] :
       llvm::zip_equal(layers.dims, layers.offsets, layers.sizes)) {
    operands.offsets[dim] = offset;
    operands.sizes[dim] = builder.getIndexAttr(size);
  }
  return operands;
}

Value sparsam::createLayers(OpBuilder &builder, Location loc, Value value,
                            const Layers &layers) {
  if (layers.isWhole())
    return value;
  SliceOperands operands = getOperands(builder, value, layers);
  return tensor::ExtractSliceOp::create(builder, loc, value, operands.offsets,
                                        operands.sizes, operands.strides);
}

Value sparsam::insertLayers(OpBuilder &builder, Location loc, Value value, Value into,
                            const Layers &layers) {
  if (layers.isWhole())
    return value;
  SliceOperands operands = getOperands(builder, into, layers);
  return tensor::InsertSliceOp::create(builder, loc, value, into, operands.offsets,
                                       operands.sizes, operands.strides);
}

FailureOr<SmallVector<Value>>
sparsam::createLoopOverLayers(OpBuilder &builder, Location loc, ArrayRef<int64_t> stack,
                              ValueRange stacked, ArrayRef<RankedTensorType> results,
                              LayerBody body) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  Value zero = constant(0), one = constant(1);
  SmallVector<Value> inits, upper;
  for (int64_t size : stack)
    upper.push_back(constant(size));
  for (RankedTensorType result : results) {
    SmallVector<int64_t> shape(stack);
    llvm::append_range(shape, result.getShape());
    inits.push_back(buildEmpty(builder, loc, shape, result.getElementType()));
  }
  LogicalResult made = success();
  scf::LoopNest nest = scf::buildLoopNest(
      builder, loc, SmallVector<Value>(stack.size(), zero), upper,
      SmallVector<Value>(stack.size(), one), inits,
      [&](OpBuilder &nested, Location at, ValueRange places, ValueRange carried) {
        // Without the stacked dimensions, of which there is one place.
        auto operandsOf = [&](Value whole) {
          Layers layers;
          for (auto [dim, place] : llvm::enumerate(places)) {
            layers.dims.push_back(dim);
            layers.offsets.push_back(place);
            layers.sizes.push_back(1);
          }
          return getOperands(nested, whole, layers);
        };
        SmallVector<Value> parts;
        for (Value whole : stacked) {
          auto type = cast<RankedTensorType>(whole.getType());
          auto part = RankedTensorType::get(type.getShape().drop_front(stack.size()),
                                            type.getElementType());
          SliceOperands operands = operandsOf(whole);
          parts.push_back(tensor::ExtractSliceOp::create(nested, at, part, whole,
                                                         operands.offsets, operands.sizes,
                                                         operands.strides));
        }
        auto layer = body(nested, parts);
        made = layer;
        if (failed(layer))
          return scf::ValueVector(carried.begin(), carried.end());
        scf::ValueVector inserted;
        for (auto [value, into] : llvm::zip_equal(*layer, carried)) {
          SliceOperands operands = operandsOf(into);
          inserted.push_back(
              tensor::InsertSliceOp::create(nested, at, value, into, operands.offsets,
                                            operands.sizes, operands.strides));
        }
        return inserted;
      });
  if (failed(made))
    return failure();
  return llvm::to_vector_of<Value>(nest.results);
}
