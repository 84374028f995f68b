#include "ImportLinalgExt.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace {

/// An `iree_linalg_ext.scatter`, whose dialect is not loaded. The updates have batch
/// dimensions and then those of a slice; the indices have the batch dimensions and then
/// one that holds the components of a position, left out if there is one component.
/// Component i is the position in dimension `dimensionMap[i]` of the original; the
/// dimensions behind these are those of the slice.
struct Scatter {
  TypedValue<RankedTensorType> updates, indices, original;
  ArrayRef<int64_t> dimensionMap;
  Block *combiner;
  int64_t batchRank;

  static FailureOr<Scatter> read(Operation *op);

  int64_t depth() const { return dimensionMap.size(); }
  bool indicesHaveComponents() const {
    return indices.getType().getRank() == batchRank + 1;
  }
  ArrayRef<int64_t> slice() const {
    return updates.getType().getShape().drop_front(batchRank);
  }
};

FailureOr<Scatter> Scatter::read(Operation *op) {
  if (op->getNumOperands() != 3)
    return op->emitOpError("expected 3 operands (updates, indices, original), found ")
           << op->getNumOperands();
  Scatter s;
  auto read = [&](unsigned i, StringRef what, TypedValue<RankedTensorType> &tensor) {
    tensor = dyn_cast<TypedValue<RankedTensorType>>(op->getOperand(i));
    if (tensor && tensor.getType().hasStaticShape())
      return success();
    return LogicalResult(op->emitOpError("expected ")
                         << what << " of static shape, found "
                         << op->getOperand(i).getType());
  };
  if (failed(read(0, "updates", s.updates)) || failed(read(1, "indices", s.indices)) ||
      failed(read(2, "original", s.original)))
    return failure();
  RankedTensorType original = s.original.getType(), updates = s.updates.getType();
  if (op->getNumResults() != 1 || op->getResult(0).getType() != original)
    return op->emitOpError("expected one result of the type of the original, ")
           << original;
  if (!s.indices.getType().getElementType().isSignlessInteger())
    return op->emitOpError("expected signless integer indices, found ")
           << s.indices.getType();

  auto map = op->getAttrOfType<DenseI64ArrayAttr>("dimension_map");
  if (!map)
    return op->emitOpError("expected an array of i64 as dimension_map");
  s.dimensionMap = map.asArrayRef();
  SmallVector<bool> mapped(s.depth(), false);
  for (int64_t dim : s.dimensionMap) {
    if (dim < 0 || dim >= s.depth() || dim >= original.getRank() || mapped[dim])
      return op->emitOpError("expected dimension_map to permute the first ")
             << s.depth() << " dimensions of " << original << ", found " << map;
    mapped[dim] = true;
  }

  int64_t sliceRank = original.getRank() - s.depth();
  s.batchRank = updates.getRank() - sliceRank;
  if (s.batchRank < 0)
    return op->emitOpError("expected updates with the ")
           << sliceRank << " slice dimensions of " << original << ", found " << updates;
  ArrayRef<int64_t> wanted = updates.getShape().take_front(s.batchRank);
  ArrayRef<int64_t> found = s.indices.getType().getShape();
  bool implicit = found == wanted && s.depth() == 1;
  bool hasComponents = found.size() == wanted.size() + 1 && found.drop_back() == wanted &&
                       found.back() == s.depth();
  if (!implicit && !hasComponents)
    return op->emitOpError("expected indices of the updates' batch dimensions and ")
           << s.depth() << " components, found " << s.indices.getType() << " for "
           << updates;
  for (auto [size, bound] :
       llvm::zip(s.slice(), original.getShape().drop_front(s.depth())))
    if (size > bound)
      return op->emitOpError("expected update slices that fit into ")
             << original << ", found " << updates;

  Type element = original.getElementType();
  if (updates.getElementType() != element)
    return op->emitOpError("expected updates of element type ")
           << element << ", found " << updates;
  auto combiner = sparsam::getCombiner(op, element, "the update and the old value");
  if (failed(combiner))
    return failure();
  s.combiner = *combiner;
  return s;
}

class Lowering {
public:
  Lowering(OpBuilder &b, Location loc, const Scatter &scatter)
      : b(b), loc(loc), scatter(scatter) {}

  Value run() {
    Value init = scatter.original;
    // A fill writes the fresh tensor that a constant would be copied to.
    SplatElementsAttr splat;
    if (matchPattern(init, m_Constant(&splat)))
      init = fill(splat);
    return loopOverBatch(init, {});
  }

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

  Value fill(SplatElementsAttr splat) {
    RankedTensorType type = scatter.original.getType();
    Value value = arith::ConstantOp::create(
        b, loc, cast<TypedAttr>(splat.getSplatValue<Attribute>()));
    Value empty = tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
    return linalg::FillOp::create(b, loc, value, empty).getResult(0);
  }

  Value loopOverBatch(Value destination, ArrayRef<Value> batch) {
    int64_t dim = batch.size();
    if (dim == scatter.batchRank)
      return update(destination, batch);
    int64_t size = scatter.updates.getType().getDimSize(dim);
    SmallVector<Value> inner(batch);
    auto loop = scf::ForOp::create(b, loc, index(0), index(size), index(1), destination);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    inner.push_back(loop.getInductionVar());
    Value next = loopOverBatch(loop.getRegionIterArgs().front(), inner);
    scf::YieldOp::create(b, loc, next);
    return loop.getResult(0);
  }

  /// One update, if its position is inside of the destination.
  Value update(Value destination, ArrayRef<Value> batch) {
    SmallVector<Value> position(scatter.depth());
    Value inside;
    for (auto [component, dim] : llvm::enumerate(scatter.dimensionMap)) {
      SmallVector<Value> at(batch);
      if (scatter.indicesHaveComponents())
        at.push_back(index(component));
      Value read = tensor::ExtractOp::create(b, loc, scatter.indices, at);
      position[dim] = arith::IndexCastOp::create(b, loc, b.getIndexType(), read);
      // One unsigned comparison refuses negative positions too.
      Value bound = index(scatter.original.getType().getDimSize(dim));
      Value fits =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, position[dim], bound);
      inside = inside ? arith::AndIOp::create(b, loc, inside, fits).getResult() : fits;
    }
    if (!inside)
      return combineSlice(destination, batch, position);
    auto guarded =
        scf::IfOp::create(b, loc, destination.getType(), inside, /*withElse=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(guarded.thenBlock());
    scf::YieldOp::create(b, loc, combineSlice(destination, batch, position));
    b.setInsertionPointToStart(guarded.elseBlock());
    scf::YieldOp::create(b, loc, destination);
    return guarded.getResult(0);
  }

  Value combineSlice(Value destination, ArrayRef<Value> batch, ArrayRef<Value> position) {
    if (scatter.slice().empty()) {
      Value fresh = tensor::ExtractOp::create(b, loc, scatter.updates, batch);
      Value old = tensor::ExtractOp::create(b, loc, destination, position);
      return tensor::InsertOp::create(b, loc, combine(b, fresh, old), destination,
                                      position);
    }
    int64_t rank = scatter.slice().size();
    Value fresh = extractSlice(scatter.updates, batch);
    Value old = extractSlice(destination, position);
    AffineMap identity = b.getMultiDimIdentityMap(rank);
    auto combined = linalg::GenericOp::create(
        b, loc, old.getType(), fresh, old, ArrayRef{identity, identity},
        SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
        [&](OpBuilder &body, Location, ValueRange args) {
          linalg::YieldOp::create(body, loc, combine(body, args[0], args[1]));
        });
    SmallVector<OpFoldResult> offsets, sizes, strides;
    sliceAt(position, offsets, sizes, strides);
    return tensor::InsertSliceOp::create(b, loc, combined.getResult(0), destination,
                                         offsets, sizes, strides);
  }

  /// The slice at a position in the leading dimensions of `source`.
  Value extractSlice(Value source, ArrayRef<Value> position) {
    SmallVector<OpFoldResult> offsets, sizes, strides;
    sliceAt(position, offsets, sizes, strides);
    auto type = RankedTensorType::get(scatter.slice(),
                                      scatter.original.getType().getElementType());
    return tensor::ExtractSliceOp::create(b, loc, type, source, offsets, sizes, strides);
  }

  void sliceAt(ArrayRef<Value> position, SmallVectorImpl<OpFoldResult> &offsets,
               SmallVectorImpl<OpFoldResult> &sizes,
               SmallVectorImpl<OpFoldResult> &strides) {
    llvm::append_range(offsets, position);
    sizes.append(position.size(), b.getIndexAttr(1));
    offsets.append(scatter.slice().size(), b.getIndexAttr(0));
    for (int64_t size : scatter.slice())
      sizes.push_back(b.getIndexAttr(size));
    strides.append(offsets.size(), b.getIndexAttr(1));
  }

  Value combine(OpBuilder &at, Value fresh, Value old) {
    return sparsam::cloneCombiner(at, *scatter.combiner, fresh, old);
  }

  OpBuilder &b;
  Location loc;
  const Scatter &scatter;
};

} // namespace

LogicalResult mlir::sparsam::importScatter(RewriterBase &rewriter, Operation *op) {
  FailureOr<Scatter> scatter = Scatter::read(op);
  if (failed(scatter))
    return failure();
  rewriter.setInsertionPoint(op);
  rewriter.replaceOp(op, Lowering(rewriter, op->getLoc(), *scatter).run());
  return success();
}
