// What converts between a parameter and its storage becomes upstream operations,
// which the structures themselves build.
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "sparsam/IR/SparsamOps.h"
#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_LOWERSTORAGEPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

FailureOr<MatrixView> getView(Operation *op, StructureInterface structure, Value dense) {
  return getMatrixView(structure, cast<RankedTensorType>(dense.getType()),
                       [&] { return op->emitOpError(); });
}

/// The parameter's dimensions in the order in which its matrix flattens them.
SmallVector<int64_t> getOrder(const MatrixView &view) {
  SmallVector<int64_t> order(view.in);
  llvm::append_range(order, view.out);
  return order;
}

/// The parameter's dimensions that make up the matrix's rows and columns.
SmallVector<ReassociationIndices> getGroups(const MatrixView &view) {
  SmallVector<ReassociationIndices> groups(2);
  for (size_t dim = 0; dim < view.in.size() + view.out.size(); ++dim)
    groups[dim < view.in.size() ? 0 : 1].push_back(dim);
  return groups;
}

Value transpose(ImplicitLocOpBuilder &b, Value source, ArrayRef<int64_t> order) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<int64_t> shape =
      llvm::map_to_vector(order, [&](int64_t dim) { return type.getDimSize(dim); });
  Value empty = tensor::EmptyOp::create(b, shape, type.getElementType());
  return linalg::TransposeOp::create(b, source, empty, order)->getResult(0);
}

Value toMatrix(ImplicitLocOpBuilder &b, Value dense, const MatrixView &view) {
  if (!view.isReshape())
    dense = transpose(b, dense, getOrder(view));
  if (dense.getType() == view.matrix)
    return dense;
  return tensor::CollapseShapeOp::create(b, view.matrix, dense, getGroups(view));
}

Value fromMatrix(ImplicitLocOpBuilder &b, Value matrix, const MatrixView &view,
                 RankedTensorType type) {
  SmallVector<int64_t> order = getOrder(view);
  SmallVector<int64_t> shape =
      llvm::map_to_vector(order, [&](int64_t dim) { return type.getDimSize(dim); });
  auto ordered = RankedTensorType::get(shape, type.getElementType());
  if (ordered != matrix.getType())
    matrix = tensor::ExpandShapeOp::create(b, ordered, matrix, getGroups(view));
  if (view.isReshape())
    return matrix;
  return transpose(b, matrix, invertPermutationVector(order));
}

/// The product of the factors, summed over the letters that the matrix lacks.
FailureOr<Value> buildFactorProduct(ImplicitLocOpBuilder &b, StructureInterface structure,
                                    ValueRange factors, const MatrixView &view) {
  FailureOr<FactorEinsum> einsum = structure.getEinsum(view.matrix);
  if (failed(einsum))
    return failure();
  std::string letters = einsum->in + einsum->out;
  size_t outer = letters.size();
  SmallVector<int64_t> shape(outer);
  SmallVector<AffineMap> maps;
  SmallVector<SmallVector<AffineExpr>> accesses;
  for (auto [term, factor] : llvm::zip_equal(einsum->factors, factors)) {
    auto type = cast<RankedTensorType>(factor.getType());
    accesses.emplace_back();
    for (auto [position, letter] : llvm::enumerate(term)) {
      size_t dim = letters.find(letter);
      if (dim == std::string::npos) {
        dim = letters.size();
        letters += letter;
      }
      if (dim < outer)
        shape[dim] = type.getDimSize(position);
      accesses.back().push_back(b.getAffineDimExpr(dim));
    }
  }
  for (ArrayRef<AffineExpr> access : accesses)
    maps.push_back(AffineMap::get(letters.size(), 0, access, b.getContext()));
  maps.push_back(AffineMap::getMultiDimIdentityMap(letters.size(), b.getContext())
                     .getMajorSubMap(outer));
  SmallVector<utils::IteratorType> iterators(outer, utils::IteratorType::parallel);
  iterators.resize(letters.size(), utils::IteratorType::reduction);

  Type element = view.matrix.getElementType();
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
  Value empty = tensor::EmptyOp::create(b, shape, element);
  Value init = linalg::FillOp::create(b, zero, empty).getResult(0);
  Value product = linalg::GenericOp::create(
                      b, init.getType(), factors, init, maps, iterators,
                      [](OpBuilder &builder, Location loc, ValueRange in) {
                        Value term = in.front();
                        for (Value factor : in.drop_front().drop_back())
                          term = arith::MulFOp::create(builder, loc, term, factor);
                        Value sum = arith::AddFOp::create(builder, loc, in.back(), term);
                        linalg::YieldOp::create(builder, loc, sum);
                      })
                      .getResult(0);
  if (product.getType() == view.matrix)
    return product;
  SmallVector<ReassociationIndices> groups(2);
  for (size_t dim = 0; dim < outer; ++dim)
    groups[dim < einsum->in.size() ? 0 : 1].push_back(dim);
  return Value(tensor::CollapseShapeOp::create(b, view.matrix, product, groups));
}

LogicalResult missing(Operation *op, StructureInterface structure, StringRef what) {
  return op->emitOpError() << "cannot be lowered: " << structure
                           << " does not say how to " << what << " (" << what
                           << " is not in its interface)";
}

LogicalResult lower(DensifyOp op, RewriterBase &rewriter) {
  ImplicitLocOpBuilder b(op.getLoc(), rewriter);
  StructureInterface structure = op.getStructure();
  FailureOr<MatrixView> view = getView(op, structure, op.getResult());
  if (failed(view))
    return failure();
  FailureOr<Value> matrix =
      structure.getKind() == StructureKind::Factors
          ? buildFactorProduct(b, structure, op.getStorage(), *view)
          : structure.buildDensify(rewriter, op.getLoc(), op.getStorage(), view->matrix);
  if (failed(matrix))
    return missing(op, structure, "densify");
  auto type = cast<RankedTensorType>(op.getType());
  rewriter.replaceOp(op, fromMatrix(b, *matrix, *view, type));
  return success();
}

LogicalResult lower(RestrictOp op, RewriterBase &rewriter) {
  ImplicitLocOpBuilder b(op.getLoc(), rewriter);
  FailureOr<MatrixView> view = getView(op, op.getStructure(), op.getSource());
  if (failed(view))
    return failure();
  Value matrix = toMatrix(b, op.getSource(), *view);
  FailureOr<Value> values =
      op.getStructure().buildRestrict(rewriter, op.getLoc(), matrix, op.getPattern());
  if (failed(values))
    return missing(op, op.getStructure(), "restrict");
  rewriter.replaceOp(op, *values);
  return success();
}

LogicalResult lower(SelectOp op, RewriterBase &rewriter) {
  ImplicitLocOpBuilder b(op.getLoc(), rewriter);
  FailureOr<MatrixView> view = getView(op, op.getStructure(), op.getSource());
  if (failed(view))
    return failure();
  Value matrix = toMatrix(b, op.getSource(), *view);
  auto pattern = op.getStructure().buildSelect(rewriter, op.getLoc(), matrix);
  if (failed(pattern))
    return missing(op, op.getStructure(), "select");
  rewriter.replaceOp(op, *pattern);
  return success();
}

LogicalResult lower(FactorizeOp op, RewriterBase &rewriter) {
  ImplicitLocOpBuilder b(op.getLoc(), rewriter);
  FailureOr<MatrixView> view = getView(op, op.getStructure(), op.getSource());
  if (failed(view))
    return failure();
  Value matrix = toMatrix(b, op.getSource(), *view);
  auto factors = op.getStructure().buildFactorize(rewriter, op.getLoc(), matrix);
  if (failed(factors))
    return missing(op, op.getStructure(), "factorize");
  rewriter.replaceOp(op, *factors);
  return success();
}

struct LowerStoragePass : sparsam::impl::LowerStoragePassBase<LowerStoragePass> {
  using LowerStoragePassBase::LowerStoragePassBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<DensifyOp, RestrictOp, SelectOp, FactorizeOp>(op))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (Operation *op : ops) {
      rewriter.setInsertionPoint(op);
      LogicalResult lowered = TypeSwitch<Operation *, LogicalResult>(op)
                                  .Case<DensifyOp, RestrictOp, SelectOp, FactorizeOp>(
                                      [&](auto op) { return lower(op, rewriter); });
      if (failed(lowered))
        return signalPassFailure();
      ++numLowered;
    }
  }
};

} // namespace
