// What surrounds convolutions in gradients: reversed filters, padded and dilated inputs.
#include "ProductBody.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "sparsam/Analysis/Convolution.h"

using namespace mlir;
using namespace mlir::sparsam;

/// An index in the body of a generic in terms of its loops; null where it is none.
static AffineExpr getIndexExpr(Value value, MLIRContext *context) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return getAffineConstantExpr(constant.getSExtValue(), context);
  Operation *op = value.getDefiningOp();
  if (auto index = dyn_cast_or_null<linalg::IndexOp>(op))
    return getAffineDimExpr(index.getDim(), context);
  if (isa_and_nonnull<arith::SubIOp, arith::AddIOp>(op)) {
    AffineExpr lhs = getIndexExpr(op->getOperand(0), context);
    AffineExpr rhs = getIndexExpr(op->getOperand(1), context);
    if (!lhs || !rhs)
      return {};
    return isa<arith::SubIOp>(op) ? lhs - rhs : lhs + rhs;
  }
  auto apply = dyn_cast_or_null<affine::AffineApplyOp>(op);
  if (!apply || apply.getAffineMap().getNumSymbols() != 0)
    return {};
  SmallVector<AffineExpr> dims;
  for (Value operand : apply.getMapOperands())
    if (AffineExpr expr = getIndexExpr(operand, context))
      dims.push_back(expr);
    else
      return {};
  return apply.getAffineMap().getResult(0).replaceDims(dims);
}

/// The tensor that a copying generic reads, and where: an operand at its map, or a
/// tensor from outside at computed indices.
static std::pair<Value, SmallVector<AffineExpr>> getRead(linalg::GenericOp op) {
  Value yielded = op.getBody()->getTerminator()->getOperand(0);
  if (auto argument = dyn_cast<BlockArgument>(yielded);
      argument && argument.getOwner() == op.getBody() &&
      argument.getArgNumber() < op.getNumDpsInputs()) {
    OpOperand *operand = op.getDpsInputOperand(argument.getArgNumber());
    return {operand->get(),
            SmallVector<AffineExpr>(op.getMatchingIndexingMap(operand).getResults())};
  }
  auto extract = yielded.getDefiningOp<tensor::ExtractOp>();
  if (!extract || op->isAncestor(extract.getTensor().getParentBlock()->getParentOp()))
    return {};
  SmallVector<AffineExpr> exprs;
  for (Value index : extract.getIndices())
    exprs.push_back(getIndexExpr(index, op.getContext()));
  return {extract.getTensor(), exprs};
}

FailureOr<Reversal> sparsam::matchReversal(Operation *op) {
  auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
  if (!generic || generic->getNumResults() != 1 || generic.getNumReductionLoops() != 0 ||
      !generic.getIndexingMapsArray().back().isIdentity())
    return failure();
  auto type = dyn_cast<RankedTensorType>(generic->getResult(0).getType());
  auto [source, exprs] = getRead(generic);
  if (!source || !type || !type.hasStaticShape() || source.getType() != type)
    return failure();
  Reversal reversal{source, {}};
  for (auto [dim, size] : llvm::enumerate(type.getShape())) {
    AffineExpr expr = exprs[dim];
    AffineExpr straight = getAffineDimExpr(dim, op->getContext());
    bool isReversed = expr == size - 1 - straight;
    if (!expr || (size != 1 && !isReversed && expr != straight))
      return failure();
    reversal.dims.push_back(isReversed && size != 1);
  }
  return reversal;
}

static FailureOr<Embedding> matchPad(tensor::PadOp op) {
  Value padding = op.getConstantPaddingValue();
  auto low = getConstantIntValues(op.getMixedLowPad());
  auto high = getConstantIntValues(op.getMixedHighPad());
  if (!padding || !matchPattern(padding, m_AnyZeroFloat()) || !low || !high ||
      llvm::any_of(*low, [](int64_t size) { return size < 0; }) ||
      llvm::any_of(*high, [](int64_t size) { return size < 0; }))
    return failure();
  return Embedding{op.getSource(), SmallVector<int64_t>(*low),
                   SmallVector<int64_t>(low->size(), 1)};
}

static FailureOr<Embedding> matchInsertSlice(tensor::InsertSliceOp op) {
  auto offsets = getConstantIntValues(op.getMixedOffsets());
  auto strides = getConstantIntValues(op.getMixedStrides());
  if (!isZeroTensor(op.getDest()) || !offsets || !strides ||
      op.getSourceType().getRank() != op.getDestType().getRank())
    return failure();
  return Embedding{op.getSource(), *offsets, *strides};
}

FailureOr<Embedding> sparsam::matchEmbedding(Operation *op) {
  auto isStatic = [](RankedTensorType from, RankedTensorType to) {
    return from.hasStaticShape() && to.hasStaticShape();
  };
  if (auto pad = dyn_cast_or_null<tensor::PadOp>(op);
      pad && isStatic(pad.getSourceType(), pad.getResultType()))
    return matchPad(pad);
  if (auto insert = dyn_cast_or_null<tensor::InsertSliceOp>(op);
      insert && isStatic(insert.getSourceType(), insert.getDestType()))
    return matchInsertSlice(insert);
  return failure();
}
