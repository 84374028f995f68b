#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "sparsam/Analysis/Elementwise.h"

using namespace mlir;
using namespace mlir::sparsam;

bool sparsam::isCombiner(Operation *op) {
  return isa_and_nonnull<arith::AddFOp, arith::AddIOp, arith::MaximumFOp,
                         arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp,
                         arith::MaxSIOp, arith::MinSIOp, arith::MaxUIOp, arith::MinUIOp,
                         arith::OrIOp, arith::AndIOp, arith::MulFOp>(op);
}

FailureOr<FullReduction> sparsam::matchFullReduction(Operation *op) {
  auto linalgOp = dyn_cast_or_null<linalg::LinalgOp>(op);
  if (!linalgOp || op->getNumResults() != 1 || linalgOp.getNumDpsInits() != 1 ||
      linalgOp.getNumReductionLoops() != linalgOp.getNumLoops() ||
      linalgOp.getNumLoops() == 0 || linalgOp.hasIndexSemantics() ||
      op->getNumRegions() != 1)
    return failure();
  Block *body = linalgOp.getBlock();
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || type.getRank() != 0 || body->getNumArguments() != op->getNumOperands())
    return failure();
  // All elements take part, so their order is free as long as it is one.
  AffineMap order = linalgOp.getIndexingMapsArray().front();
  for (OpOperand *input : linalgOp.getDpsInputOperands())
    if (!order.isPermutation() || linalgOp.getMatchingIndexingMap(input) != order)
      return failure();
  for (Operation &inner : body->without_terminator())
    if (!isMemoryEffectFree(&inner) || inner.getNumRegions() != 0)
      return failure();
  Value accumulator = body->getArguments().back();
  Operation *combiner = body->getTerminator()->getOperand(0).getDefiningOp();
  if (!isCombiner(combiner) || combiner->getBlock() != body || !accumulator.hasOneUse())
    return failure();
  if (combiner->getOperand(0) == accumulator)
    return FullReduction{linalgOp, combiner, combiner->getOperand(1)};
  if (combiner->getOperand(1) == accumulator)
    return FullReduction{linalgOp, combiner, combiner->getOperand(0)};
  return failure();
}

Value sparsam::cloneReduction(OpBuilder &builder, const FullReduction &reduction,
                              ValueRange inputs, Value init, ArrayRef<int64_t> shape,
                              const IRMapping &outside) {
  linalg::LinalgOp op = reduction.op;
  unsigned rank = shape.size();
  SmallVector<AffineMap> maps(inputs.size(), builder.getMultiDimIdentityMap(rank));
  maps.push_back(AffineMap::get(rank, 0, builder.getContext()));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::reduction);
  Block *body = op.getBlock();
  return linalg::GenericOp::create(
             builder, op.getLoc(), init.getType(), inputs, init, maps, iterators,
             [&](OpBuilder &nested, Location loc, ValueRange arguments) {
               IRMapping mapping(outside);
               mapping.map(body->getArguments(), arguments);
               for (Operation &inner : body->without_terminator())
                 nested.clone(inner, mapping);
               linalg::YieldOp::create(
                   nested, loc,
                   mapping.lookupOrDefault(body->getTerminator()->getOperand(0)));
             })
      .getResult(0);
}

Value sparsam::cloneTerm(OpBuilder &builder, const FullReduction &reduction,
                         ValueRange inputs) {
  linalg::LinalgOp op = reduction.op;
  Value init = tensor::EmptyOp::create(builder, op.getLoc(), ArrayRef<int64_t>{},
                                       reduction.term.getType());
  SmallVector<AffineMap> maps(inputs.size() + 1, builder.getMultiDimIdentityMap(0));
  Block *body = op.getBlock();
  return linalg::GenericOp::create(
             builder, op.getLoc(), init.getType(), inputs, init, maps,
             ArrayRef<utils::IteratorType>{},
             [&](OpBuilder &nested, Location loc, ValueRange arguments) {
               IRMapping mapping;
               mapping.map(body->getArguments(), arguments);
               for (Operation &inner : body->without_terminator())
                 if (&inner != reduction.combiner)
                   nested.clone(inner, mapping);
               linalg::YieldOp::create(nested, loc,
                                       mapping.lookupOrDefault(reduction.term));
             })
      .getResult(0);
}

Value sparsam::createCombined(OpBuilder &builder, Location loc, Operation *combiner,
                              Value lhs, Value rhs) {
  auto combine = [&](OpBuilder &at, Value left, Value right) {
    IRMapping mapping;
    Operation *combined = combiner->clone(mapping);
    combined->setOperands({left, right});
    return at.insert(combined)->getResult(0);
  };
  auto type = dyn_cast<RankedTensorType>(lhs.getType());
  if (!type)
    return combine(builder, lhs, rhs);
  Value init =
      tensor::EmptyOp::create(builder, loc, type.getShape(), type.getElementType());
  SmallVector<AffineMap> maps(3, builder.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> loops(type.getRank(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, type, ValueRange{lhs, rhs}, init, maps, loops,
             [&](OpBuilder &nested, Location at, ValueRange arguments) {
               linalg::YieldOp::create(nested, at,
                                       combine(nested, arguments[0], arguments[1]));
             })
      .getResult(0);
}

Value sparsam::createNeutral(OpBuilder &builder, Location loc, Operation *combiner,
                             Type type) {
  std::optional<TypedAttr> neutral = arith::getNeutralElement(combiner);
  if (!neutral)
    return {};
  auto tensor = dyn_cast<RankedTensorType>(type);
  TypedAttr value =
      tensor ? TypedAttr(DenseElementsAttr::get(tensor, Attribute(*neutral))) : *neutral;
  return arith::ConstantOp::create(builder, loc, value);
}
