// What converts between a parameter and its storage becomes upstream operations,
// which the structures themselves build.
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "sparsam/Transforms/BuildProduct.h"
#include "sparsam/Transforms/Composition.h"
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
    dense = transpose(b, dense, view.getOrder());
  if (dense.getType() == view.matrix)
    return dense;
  return tensor::CollapseShapeOp::create(b, view.matrix, dense, getGroups(view));
}

Value fromMatrix(ImplicitLocOpBuilder &b, Value matrix, const MatrixView &view,
                 RankedTensorType type) {
  SmallVector<int64_t> order = view.getOrder();
  SmallVector<int64_t> shape =
      llvm::map_to_vector(order, [&](int64_t dim) { return type.getDimSize(dim); });
  auto ordered = RankedTensorType::get(shape, type.getElementType());
  if (ordered != matrix.getType())
    matrix = tensor::ExpandShapeOp::create(b, ordered, matrix, getGroups(view));
  if (view.isReshape())
    return matrix;
  return transpose(b, matrix, invertPermutationVector(order));
}

LogicalResult lower(EinsumOp op, RewriterBase &rewriter) {
  FailureOr<Product> product = Product::of(op);
  if (failed(product))
    return op.emitOpError("needs static shapes without empty dimensions");
  FailureOr<ContractionPath> path = findContractionPath(*product);
  if (failed(path))
    return op.emitOpError() << "is a product of " << product->terms.size()
                            << " operands, more than an order is searched for";
  rewriter.replaceOp(op, buildContractions(rewriter, op.getLoc(), *product, *path));
  return success();
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
      structure.buildDensify(rewriter, op.getLoc(), op.getStorage(), view->matrix);
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

/// The storage of dense factors: of each that has a pattern, its entries there.
FailureOr<SmallVector<Value>> storeFactors(FactorizeOp op, RewriterBase &rewriter,
                                           ArrayRef<Value> dense,
                                           const MatrixView &view) {
  auto terms = op.getStructure().getTerms(view.matrix, [&] { return op.emitOpError(); });
  if (failed(terms))
    return failure();
  SmallVector<Factor> factors;
  for (const FactorTerm &term : *terms)
    llvm::append_range(factors, term.factors);
  if (factors.size() != dense.size())
    return op.emitOpError() << "cannot be lowered: " << op.getStructure() << " finds "
                            << dense.size() << " factors, expected " << factors.size();
  SmallVector<Value> storage;
  ValueRange given = op.getPattern();
  for (auto [factor, value] : llvm::zip_equal(factors, dense)) {
    if (!factor.pattern) {
      storage.push_back(value);
      continue;
    }
    auto tensors = getFactorStorage(factor, [&] { return op.emitOpError(); });
    if (failed(tensors))
      return failure();
    SmallVector<Value> pattern;
    if (given.empty()) {
      auto selected = factor.getPattern().buildSelect(rewriter, op.getLoc(), value);
      if (failed(selected))
        return missing(op, factor.getPattern(), "select");
      pattern = *selected;
    } else {
      size_t count = llvm::count_if(
          *tensors, [](const StorageTensor &tensor) { return tensor.isIndex(); });
      pattern = llvm::to_vector(given.take_front(count));
      given = given.drop_front(count);
    }
    FailureOr<Value> values =
        factor.getPattern().buildRestrict(rewriter, op.getLoc(), value, pattern);
    if (failed(values))
      return missing(op, factor.getPattern(), "restrict");
    unsigned next = 0;
    for (const StorageTensor &tensor : *tensors) {
      if (!tensor.isIndex())
        storage.push_back(*values);
      else if (op.getPattern().empty())
        storage.push_back(pattern[next++]);
    }
  }
  return storage;
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
  auto storage = storeFactors(op, rewriter, *factors, *view);
  if (failed(storage))
    return failure();
  rewriter.replaceOp(op, *storage);
  return success();
}

struct LowerStoragePass : sparsam::impl::LowerStoragePassBase<LowerStoragePass> {
  using LowerStoragePassBase::LowerStoragePassBase;

  void runOnOperation() override {
    // Finding factors may compute with some of them, and the definition of a factor
    // structure has einsums and densifies its patterns.
    auto isFactors = +[](DensifyOp op) {
      return op.getStructure().getKind() == StructureKind::Factors;
    };
    if (failed(lowerAll<FactorizeOp>(lower)) ||
        failed(lowerAll<DensifyOp>(define, isFactors)) ||
        failed(lowerAll<EinsumOp>(lower)) || failed(lowerAll<SelectOp>(lower)) ||
        failed(lowerAll<DensifyOp>(lower)) || failed(lowerAll<RestrictOp>(lower)))
      signalPassFailure();
  }

private:
  template <typename OpTy>
  LogicalResult lowerAll(LogicalResult (*lowering)(OpTy, RewriterBase &),
                         bool (*wanted)(OpTy) = nullptr) {
    SmallVector<OpTy> ops;
    getOperation().walk([&](OpTy op) {
      if (!wanted || wanted(op))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (OpTy op : ops) {
      rewriter.setInsertionPoint(op);
      if (failed(lowering(op, rewriter)))
        return failure();
      ++numLowered;
    }
    return success();
  }

  static LogicalResult define(DensifyOp op, RewriterBase &rewriter) {
    FailureOr<Value> dense = createDefinition(rewriter, op);
    if (succeeded(dense))
      rewriter.replaceOp(op, *dense);
    return dense;
  }
};

} // namespace
