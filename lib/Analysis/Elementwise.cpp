#include "sparsam/Analysis/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::sparsam;

/// The operand's element for element (d0, d1, ...) of the result.
static std::optional<ElementwiseOperand> classify(Value value, AffineMap map,
                                                  AffineMap fromResult) {
  AffineMap access = map.compose(fromResult);
  if (llvm::all_of(access.getResults(), llvm::IsaPred<AffineConstantExpr>))
    return ElementwiseOperand{value, ElementAccess::Scalar, {}};
  if (access.isIdentity())
    return ElementwiseOperand{value, ElementAccess::Same, {}};
  if (!access.isPermutation())
    return std::nullopt;
  ElementwiseOperand operand{value, ElementAccess::Permuted, {}};
  for (unsigned dim = 0; dim < access.getNumResults(); ++dim)
    operand.dims.push_back(access.getDimPosition(dim));
  return operand;
}

/// Whether a body computes from its arguments and from values outside alone, the
/// same at every place.
static bool isPlaceless(linalg::LinalgOp op) {
  if (op.hasIndexSemantics() || op->getNumRegions() != 1)
    return false;
  Block *body = op.getBlock();
  return body->getNumArguments() == op->getNumOperands() &&
         llvm::all_of(body->without_terminator(), [](Operation &inner) {
           return isMemoryEffectFree(&inner) && inner.getNumRegions() == 0;
         });
}

FailureOr<ElementwiseOp> sparsam::matchElementwise(Operation *op) {
  auto linalgOp = dyn_cast_or_null<linalg::LinalgOp>(op);
  if (!linalgOp || op->getNumResults() != 1 || linalgOp.getNumDpsInits() != 1 ||
      linalgOp.getNumParallelLoops() != linalgOp.getNumLoops() || !isPlaceless(linalgOp))
    return failure();
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  OpOperand *init = linalgOp.getDpsInitOperand(0);
  AffineMap resultMap = linalgOp.getMatchingIndexingMap(init);
  if (!type || !type.hasStaticShape() || !resultMap.isPermutation())
    return failure();
  AffineMap fromResult = inversePermutation(resultMap);
  ElementwiseOp match{linalgOp, type, {}, linalgOp.payloadUsesValueFromOperand(init)};
  for (OpOperand *input : linalgOp.getDpsInputOperands()) {
    auto operand =
        classify(input->get(), linalgOp.getMatchingIndexingMap(input), fromResult);
    if (!operand)
      return failure();
    match.operands.push_back(*operand);
  }
  if (match.readsDestination)
    match.operands.push_back({init->get(), ElementAccess::Same, {}});
  return match;
}

bool ElementwiseOp::isCopy() const {
  Block *body = linalg::LinalgOp(op).getBlock();
  return operands.size() == 1 && operands[0].access != ElementAccess::Scalar &&
         !readsDestination &&
         body->getTerminator()->getOperand(0) == body->getArgument(0) &&
         operands[0].value.getType() != type.getElementType();
}

/// A linalg.generic with the computation of `body`.
static linalg::GenericOp createGeneric(OpBuilder &builder, Location loc, Block *body,
                                       ValueRange inputs, Value init,
                                       ArrayRef<AffineMap> maps,
                                       ArrayRef<utils::IteratorType> iterators,
                                       const IRMapping &outside) {
  return linalg::GenericOp::create(
      builder, loc, init.getType(), inputs, init, maps, iterators,
      [&](OpBuilder &nested, Location, ValueRange arguments) {
        IRMapping mapping(outside);
        mapping.map(body->getArguments(), arguments);
        for (Operation &inner : body->without_terminator())
          nested.clone(inner, mapping);
        linalg::YieldOp::create(
            nested, loc, mapping.lookupOrDefault(body->getTerminator()->getOperand(0)));
      });
}

/// The map of a scalar operand over `rank` loops: no results, or constant ones for
/// a tensor of one element.
static AffineMap scalarMap(Value value, unsigned rank) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  Builder builder(value.getContext());
  SmallVector<AffineExpr> zeros(type ? type.getRank() : 0,
                                builder.getAffineConstantExpr(0));
  return AffineMap::get(rank, 0, zeros, value.getContext());
}

Value sparsam::cloneElementwise(OpBuilder &builder, const ElementwiseOp &elementwise,
                                ValueRange operands, ArrayRef<int64_t> shape,
                                const IRMapping &outside) {
  linalg::LinalgOp op = elementwise.op;
  Location loc = op.getLoc();
  Type element = elementwise.type.getElementType();
  unsigned rank = shape.size();
  SmallVector<Value> inputs(operands);
  Value init;
  if (elementwise.readsDestination)
    init = inputs.pop_back_val();
  else
    init = tensor::EmptyOp::create(builder, loc, shape, element);
  if (isa<linalg::FillOp>(op.getOperation()))
    return linalg::FillOp::create(builder, loc, inputs, init).getResult(0);
  SmallVector<AffineMap> maps;
  for (auto [position, input] : llvm::enumerate(inputs))
    maps.push_back(elementwise.operands[position].access == ElementAccess::Scalar
                       ? scalarMap(input, rank)
                       : builder.getMultiDimIdentityMap(rank));
  maps.push_back(builder.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  return createGeneric(builder, loc, op.getBlock(), inputs, init, maps, iterators,
                       outside)
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// Values with equal elements
//===----------------------------------------------------------------------===//

static bool hasScalarOperandsOnly(const ElementwiseOp &elementwise) {
  return llvm::all_of(elementwise.operands, [](const ElementwiseOperand &operand) {
    return operand.access == ElementAccess::Scalar;
  });
}

bool sparsam::isUniform(Value value) {
  SplatElementsAttr splat;
  if (matchPattern(value, m_Constant(&splat)))
    return true;
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<tensor::EmptyOp, tensor::SplatOp>(op))
    return true;
  auto elementwise = matchElementwise(op);
  return succeeded(elementwise) && hasScalarOperandsOnly(*elementwise);
}

Value sparsam::remakeUniform(OpBuilder &builder, Value value, ArrayRef<int64_t> shape) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !isUniform(value))
    return {};
  Location loc = value.getLoc();
  auto newType = RankedTensorType::get(shape, type.getElementType());
  SplatElementsAttr splat;
  if (matchPattern(value, m_Constant(&splat)))
    return arith::ConstantOp::create(builder, loc, splat.resizeSplat(newType));
  Operation *op = value.getDefiningOp();
  if (isa<tensor::EmptyOp>(op))
    return tensor::EmptyOp::create(builder, loc, shape, type.getElementType());
  if (auto splatOp = dyn_cast<tensor::SplatOp>(op))
    return tensor::SplatOp::create(builder, loc, splatOp.getInput(), newType);
  auto elementwise = matchElementwise(op);
  SmallVector<Value> operands;
  for (const ElementwiseOperand &operand : elementwise->operands)
    operands.push_back(operand.value);
  return cloneElementwise(builder, *elementwise, operands, shape);
}

Value sparsam::createTranspose(OpBuilder &builder, Location loc, Value value,
                               ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape;
  for (int64_t dim : permutation)
    shape.push_back(type.getDimSize(dim));
  unsigned rank = shape.size();
  AffineMap from = inversePermutation(AffineMap::getPermutationMap(
      llvm::to_vector_of<unsigned>(permutation), builder.getContext()));
  Value init = tensor::EmptyOp::create(builder, loc, shape, type.getElementType());
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, init.getType(), value, init,
             ArrayRef<AffineMap>{from, builder.getMultiDimIdentityMap(rank)}, iterators,
             [](OpBuilder &nested, Location loc, ValueRange arguments) {
               linalg::YieldOp::create(nested, loc, arguments[0]);
             })
      .getResult(0);
}
