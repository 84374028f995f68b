#include "ImportLinalgExt.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace {

/// An `iree_linalg_ext.scan`: along `dimension`, element i of the result combines the
/// elements 0 to i of the input. The other result is the last of these.
struct Scan {
  TypedValue<RankedTensorType> input;
  int64_t dimension;
  Block *combiner;

  static FailureOr<Scan> read(Operation *op);

  RankedTensorType type() const { return input.getType(); }
  int64_t size() const { return type().getDimSize(dimension); }
};

FailureOr<Scan> Scan::read(Operation *op) {
  if (op->getNumOperands() != 3 || op->getNumResults() != 2)
    return op->emitOpError("expected 3 operands (input, output, accumulator) and 2 "
                           "results, found ")
           << op->getNumOperands() << " and " << op->getNumResults();
  Scan scan;
  scan.input = dyn_cast<TypedValue<RankedTensorType>>(op->getOperand(0));
  if (!scan.input || !scan.type().hasStaticShape())
    return op->emitOpError("expected an input of static shape, found ")
           << op->getOperand(0).getType();
  auto dimension = op->getAttrOfType<IntegerAttr>("dimension");
  if (!dimension || dimension.getInt() < 0 || dimension.getInt() >= scan.type().getRank())
    return op->emitOpError("expected a dimension of ")
           << scan.type() << ", found " << op->getAttr("dimension");
  scan.dimension = dimension.getInt();
  auto inclusive = op->getAttrOfType<BoolAttr>("inclusive");
  if (!inclusive || !inclusive.getValue())
    return op->emitOpError(
        "expected inclusive = true; what an exclusive scan starts from "
        "is not known");
  SmallVector<int64_t> rest(scan.type().getShape());
  rest.erase(rest.begin() + scan.dimension);
  auto last = RankedTensorType::get(rest, scan.type().getElementType());
  if (op->getResultTypes() != TypeRange{scan.type(), last})
    return op->emitOpError("expected results of types ")
           << scan.type() << " and " << last << ", found " << op->getResultTypes();
  auto combiner = sparsam::getCombiner(op, scan.type().getElementType(),
                                       "the value so far and the next element");
  if (failed(combiner))
    return failure();
  scan.combiner = *combiner;
  return scan;
}

class Lowering {
public:
  Lowering(OpBuilder &b, Location loc, const Scan &scan) : b(b), loc(loc), scan(scan) {
    shape = llvm::to_vector(scan.type().getShape());
    shape[scan.dimension] = 1;
  }

  SmallVector<Value> run(Type last) {
    RankedTensorType type = scan.type();
    Value result =
        tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
    if (type.getNumElements() == 0)
      return {result, tensor::EmptyOp::create(b, loc, cast<RankedTensorType>(last), {})};
    Value zero = index(0), one = index(1);
    Value first = slice(scan.input, zero);
    auto loop = scf::ForOp::create(b, loc, one, index(scan.size()), one,
                                   ValueRange{insert(first, result, zero), first});
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value at = loop.getInductionVar();
    Value next = combine(slice(scan.input, at), loop.getRegionIterArg(1));
    scf::YieldOp::create(b, loc,
                         ValueRange{insert(next, loop.getRegionIterArg(0), at), next});
    b.setInsertionPointAfter(loop);
    return {loop.getResult(0), reshape(loop.getResult(1), last)};
  }

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

  void place(Value position, SmallVectorImpl<OpFoldResult> &offsets,
             SmallVectorImpl<OpFoldResult> &sizes,
             SmallVectorImpl<OpFoldResult> &strides) {
    offsets.assign(shape.size(), b.getIndexAttr(0));
    offsets[scan.dimension] = position;
    for (int64_t size : shape)
      sizes.push_back(b.getIndexAttr(size));
    strides.assign(shape.size(), b.getIndexAttr(1));
  }

  Value slice(Value source, Value position) {
    SmallVector<OpFoldResult> offsets, sizes, strides;
    place(position, offsets, sizes, strides);
    return tensor::ExtractSliceOp::create(b, loc, source, offsets, sizes, strides);
  }

  Value insert(Value source, Value destination, Value position) {
    SmallVector<OpFoldResult> offsets, sizes, strides;
    place(position, offsets, sizes, strides);
    return tensor::InsertSliceOp::create(b, loc, source, destination, offsets, sizes,
                                         strides);
  }

  Value combine(Value element, Value soFar) {
    unsigned rank = shape.size();
    SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(rank));
    SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               b, loc, soFar.getType(), element, soFar, maps, loops,
               [&](OpBuilder &body, Location, ValueRange args) {
                 linalg::YieldOp::create(
                     body, loc,
                     sparsam::cloneCombiner(body, *scan.combiner, args[1], args[0]));
               })
        .getResult(0);
  }

  /// Drops the scanned dimension, which is of size one.
  Value reshape(Value value, Type last) {
    SmallVector<OpFoldResult> offsets, sizes, strides;
    place({}, offsets, sizes, strides);
    offsets[scan.dimension] = b.getIndexAttr(0);
    return tensor::ExtractSliceOp::create(b, loc, cast<RankedTensorType>(last), value,
                                          offsets, sizes, strides);
  }

  OpBuilder &b;
  Location loc;
  const Scan &scan;
  /// Of one slice.
  SmallVector<int64_t> shape;
};

} // namespace

LogicalResult mlir::sparsam::importScan(RewriterBase &rewriter, Operation *op) {
  FailureOr<Scan> scan = Scan::read(op);
  if (failed(scan))
    return failure();
  rewriter.setInsertionPoint(op);
  rewriter.replaceOp(
      op, Lowering(rewriter, op->getLoc(), *scan).run(op->getResultTypes()[1]));
  return success();
}
