// IR on tensors for the terms and contractions of products.
#ifndef SPARSAM_TRANSFORMS_BUILDPRODUCT_H
#define SPARSAM_TRANSFORMS_BUILDPRODUCT_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"
#include "sparsam/Analysis/ContractionPath.h"
#include "sparsam/Analysis/Product.h"

namespace mlir::sparsam {

/// What a view costs: transposes move data, reshapes do not.
struct ViewCost {
  unsigned transposes = 0;
  unsigned reshapes = 0;
};

/// The cost of reading `term` with the dimensions `target`, of the same letters.
ViewCost getViewCost(const Product &product, const Term &term, ArrayRef<Group> target);

/// Builds `term` with the dimensions `target`, of the same letters: reshapes and at
/// most one `linalg.transpose`, or nothing at all.
Value buildView(OpBuilder &builder, Location loc, const Product &product,
                const Term &term, ArrayRef<Group> target);

/// A reshape of a static tensor, by the fewest collapse_shapes and expand_shapes.
Value buildReshape(OpBuilder &builder, Location loc, Value value,
                   ArrayRef<int64_t> shape);

/// Builds a product as pairwise linalg contractions in the order of `path`: matrix
/// products with the transposes in their indexing maps wherever the letters allow.
/// The product's init must be null.
Value buildContractions(OpBuilder &builder, Location loc, const Product &product,
                        const ContractionPath &path);

/// `term` summed over all letters but these; `term` itself where it has no others.
Term buildSummed(OpBuilder &builder, Location loc, const Product &product,
                 const Term &term, ArrayRef<Letter> kept);

/// `tensor.empty` of a shape.
Value buildEmpty(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape, Type element);

/// `tensor` with elements of another float type, rounded where that is narrower; `tensor`
/// itself where it has them.
Value buildConverted(OpBuilder &builder, Location loc, Value tensor, Type element);

/// What elements of a float type are computed with in: f32 for those that are narrower.
Type getWideElement(Type element);

/// One scalar operation on tensors of one shape.
template <typename OpTy>
Value buildElementwise(OpBuilder &builder, Location loc, ValueRange operands) {
  auto type = cast<RankedTensorType>(operands[0].getType());
  Value init = buildEmpty(builder, loc, type.getShape(), type.getElementType());
  SmallVector<AffineMap> maps(operands.size() + 1,
                              builder.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      builder, loc, type, operands, init, maps, iterators,
      [&](OpBuilder &nested, Location nestedLoc, ValueRange arguments) {
        Value value =
            OpTy::create(nested, nestedLoc, arguments.take_front(operands.size()));
        linalg::YieldOp::create(nested, nestedLoc, value);
      });
  return generic.getResult(0);
}

/// `tensor` times a scalar of its element type.
Value buildScaled(OpBuilder &builder, Location loc, Value tensor, Value scale);

/// lhs + rhs, elementwise.
Value buildAdd(OpBuilder &builder, Location loc, Value lhs, Value rhs);

/// The sum of lhs * rhs over all elements, a scalar.
Value buildDot(OpBuilder &builder, Location loc, Value lhs, Value rhs);

} // namespace mlir::sparsam

#endif // SPARSAM_TRANSFORMS_BUILDPRODUCT_H
