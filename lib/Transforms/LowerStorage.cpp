// What converts between a parameter and its storage becomes upstream operations,
// which the structures themselves build.
#include "Layers.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "sparsam/Analysis/Views.h"
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

/// The sizes of the stacked dimensions.
SmallVector<int64_t> getStackShape(const MatrixView &view, RankedTensorType type) {
  return llvm::map_to_vector(view.stack,
                             [&](int64_t dim) { return type.getDimSize(dim); });
}

/// The matrices of all layers.
RankedTensorType getMatrices(const MatrixView &view, RankedTensorType type) {
  SmallVector<int64_t> shape = getStackShape(view, type);
  llvm::append_range(shape, view.matrix.getShape());
  return RankedTensorType::get(shape, type.getElementType());
}

/// `body` for each layer of a parameter of `type`, or for the only matrix. `results` are
/// the types of all that is made.
FailureOr<SmallVector<Value>> forEachLayer(OpBuilder &builder, Location loc,
                                           const MatrixView &view, RankedTensorType type,
                                           ValueRange operands, TypeRange results,
                                           LayerBody body) {
  if (view.stack.empty())
    return body(builder, operands);
  auto layers = llvm::map_to_vector(results, [&](Type result) {
    auto stacked = cast<RankedTensorType>(result);
    return RankedTensorType::get(stacked.getShape().drop_front(view.stack.size()),
                                 stacked.getElementType());
  });
  return createLoopOverLayers(builder, loc, getStackShape(view, type), operands, layers,
                              body);
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
  StructureInterface structure = op.getStructure();
  FailureOr<MatrixView> view = getView(op, structure, op.getResult());
  if (failed(view))
    return failure();
  auto type = cast<RankedTensorType>(op.getType());
  auto matrices = forEachLayer(
      rewriter, op.getLoc(), *view, type, op.getStorage(), getMatrices(*view, type),
      [&](OpBuilder &builder, ValueRange storage) -> FailureOr<SmallVector<Value>> {
        FailureOr<Value> matrix =
            structure.buildDensify(builder, op.getLoc(), storage, view->matrix);
        if (failed(matrix))
          return failure();
        return SmallVector<Value>{*matrix};
      });
  if (failed(matrices))
    return missing(op, structure, "densify");
  rewriter.replaceOp(
      op, createFromMatrix(rewriter, op.getLoc(), matrices->front(), type, structure));
  return success();
}

LogicalResult lower(RestrictOp op, RewriterBase &rewriter) {
  StructureInterface structure = op.getStructure();
  FailureOr<MatrixView> view = getView(op, structure, op.getSource());
  if (failed(view))
    return failure();
  SmallVector<Value> operands{
      createMatrixOf(rewriter, op.getLoc(), op.getSource(), op.getStructure())};
  llvm::append_range(operands, op.getPattern());
  auto values = forEachLayer(
      rewriter, op.getLoc(), *view, op.getSource().getType(), operands, op.getType(),
      [&](OpBuilder &builder, ValueRange layer) -> FailureOr<SmallVector<Value>> {
        FailureOr<Value> made = structure.buildRestrict(
            builder, op.getLoc(), layer.front(), layer.drop_front());
        if (failed(made))
          return failure();
        return SmallVector<Value>{*made};
      });
  if (failed(values))
    return missing(op, structure, "restrict");
  rewriter.replaceOp(op, *values);
  return success();
}

/// What chooses a pattern or finds factors computes in f32 or f64: numbers that are
/// narrower are widened for it, which is exact, and factors are rounded once.
Value createWidened(OpBuilder &builder, Location loc, Value value) {
  return buildConverted(builder, loc, value,
                        getWideElement(getElementTypeOrSelf(value.getType())));
}

LogicalResult lower(SelectOp op, RewriterBase &rewriter) {
  FailureOr<MatrixView> view = getView(op, op.getStructure(), op.getSource());
  if (failed(view))
    return failure();
  Value source = createWidened(rewriter, op.getLoc(), op.getSource());
  Value matrices = createMatrixOf(rewriter, op.getLoc(), source, op.getStructure());
  auto pattern = forEachLayer(
      rewriter, op.getLoc(), *view, op.getSource().getType(), matrices,
      op.getResultTypes(), [&](OpBuilder &builder, ValueRange layer) {
        return op.getStructure().buildSelect(builder, op.getLoc(), layer.front());
      });
  if (failed(pattern))
    return missing(op, op.getStructure(), "select");
  rewriter.replaceOp(op, *pattern);
  return success();
}

LogicalResult lower(SelectCoupledOp op, RewriterBase &rewriter) {
  SmallVector<Value> matrices;
  for (auto [source, attr] : llvm::zip_equal(op.getSources(), op.getStructures())) {
    auto structure = cast<StructureInterface>(attr);
    if (failed(getView(op, structure, source)))
      return failure();
    matrices.push_back(createMatrixOf(
        rewriter, op.getLoc(), createWidened(rewriter, op.getLoc(), source), structure));
  }
  auto first = cast<StructureInterface>(op.getStructures()[0]);
  FailureOr<Value> indices = first.buildCoupledSelect(
      rewriter, op.getLoc(), matrices, op.getStructures().getValue(), op.getGroupAttr());
  if (failed(indices))
    return missing(op, first, "select_coupled");
  rewriter.replaceOp(op, *indices);
  return success();
}

/// The storage of dense factors: of each that has a pattern, its entries there.
FailureOr<SmallVector<Value>> storeFactors(FactorizeOp op, OpBuilder &rewriter,
                                           ArrayRef<Value> dense, ValueRange given,
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
  Value source = createWidened(rewriter, op.getLoc(), op.getSource());
  FailureOr<MatrixView> view = getView(op, op.getStructure(), source);
  if (failed(view))
    return failure();
  auto isFloat = [](Type type) { return isa<FloatType>(getElementTypeOrSelf(type)); };
  Type element = getElementTypeOrSelf(source.getType());
  auto types = llvm::map_to_vector(op.getResultTypes(), [&](Type type) -> Type {
    return isFloat(type) ? cast<RankedTensorType>(type).clone(element) : type;
  });
  SmallVector<Value> operands{
      createMatrixOf(rewriter, op.getLoc(), source, op.getStructure())};
  llvm::append_range(operands, op.getPattern());
  auto storage = forEachLayer(
      rewriter, op.getLoc(), *view, cast<RankedTensorType>(source.getType()), operands,
      types, [&](OpBuilder &builder, ValueRange layer) -> FailureOr<SmallVector<Value>> {
        auto factors =
            op.getStructure().buildFactorize(builder, op.getLoc(), layer.front());
        if (failed(factors))
          return missing(op, op.getStructure(), "factorize");
        return storeFactors(op, builder, *factors, layer.drop_front(), *view);
      });
  if (failed(storage))
    return failure();
  for (auto [value, type] : llvm::zip_equal(*storage, op.getResultTypes()))
    if (isFloat(type))
      value = buildConverted(rewriter, op.getLoc(), value, getElementTypeOrSelf(type));
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
        failed(lowerAll<SelectCoupledOp>(lower)) || failed(lowerAll<DensifyOp>(lower)) ||
        failed(lowerAll<RestrictOp>(lower)))
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
