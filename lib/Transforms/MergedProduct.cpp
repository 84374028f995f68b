#include "MergedProduct.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <array>
#include <map>

using namespace mlir;
using namespace mlir::sparsam;

LogicalResult Merged::inlineTerm(unsigned term, Product inner, StringRef name) {
  inner.absorbViews();
  unsigned count = inner.terms.size();
  if (failed(product.inlineTerm(term, inner)))
    return failure();
  int id = origin[term];
  if (!name.empty()) {
    id = names.size();
    names.push_back(name);
  }
  origin.erase(origin.begin() + term);
  origin.insert(origin.begin() + term, count, id);
  for (unsigned added = term; added < term + count; ++added)
    product.absorbViews(added);
  return success();
}

DensifyOp sparsam::getFactorDensify(Value value) {
  auto densify = value.getDefiningOp<DensifyOp>();
  if (densify && densify.getStructure().getKind() == StructureKind::Factors)
    return densify;
  return {};
}

FailureOr<Product> sparsam::productOfFactors(DensifyOp op) {
  auto type = op.getType();
  auto view = getMatrixView(op.getStructure(), type, [&] { return op.emitOpError(); });
  if (failed(view))
    return failure();
  auto einsum = op.getStructure().getEinsum(view->matrix);
  if (failed(einsum) || einsum->factors.size() != op.getStorage().size())
    return failure();
  Product product;
  std::map<char, Group> letters;
  for (auto [factor, subscripts] : llvm::zip_equal(op.getStorage(), einsum->factors)) {
    Term term{factor, {}};
    for (auto [letter, size] : llvm::zip_equal(
             subscripts, cast<RankedTensorType>(factor.getType()).getShape())) {
      auto [known, isNew] = letters.try_emplace(letter);
      if (isNew)
        known->second = product.addDimension(size);
      term.dims.push_back(known->second);
    }
    product.terms.push_back(term);
  }
  // Cutting the rows may split letters; the columns are looked up afterwards.
  product.result.resize(type.getRank());
  product.terms.push_back({Value(), {Group(), Group()}});
  for (auto [side, subscripts] :
       llvm::enumerate(std::array<StringRef, 2>{einsum->in, einsum->out}))
    for (char letter : subscripts)
      llvm::append_range(product.terms.back().dims[side], letters[letter]);
  for (auto [side, dims] :
       llvm::enumerate(std::array<ArrayRef<int64_t>, 2>{view->in, view->out})) {
    auto sizes =
        llvm::map_to_vector(dims, [&](int64_t dim) { return type.getDimSize(dim); });
    auto groups = product.cut(Group(product.terms.back().dims[side]), sizes);
    if (failed(groups))
      return failure();
    for (auto [dim, group] : llvm::zip_equal(dims, *groups))
      product.result[dim] = group;
  }
  product.terms.pop_back();
  return product;
}

FailureOr<Product> sparsam::getElementwiseProduct(Operation *op) {
  if (!op || !isa<linalg::LinalgOp>(op) || isView(op) || isOuterProduct(op))
    return failure();
  FailureOr<Product> product = Product::of(op);
  if (failed(product) || !product->isElementwise())
    return failure();
  return product;
}

bool sparsam::isRepeatedScalar(Value value) {
  while (true) {
    if (cast<RankedTensorType>(value.getType()).getNumElements() == 1)
      return true;
    Operation *op = value.getDefiningOp();
    if (!op || !(isView(op) || succeeded(matchCopy(op, /*broadcasts=*/true))))
      return false;
    value = op->getOperand(0);
  }
}

Linear sparsam::matchLinear(Operation *op) {
  auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
  if (!generic || generic->getNumResults() != 1 || generic.getNumReductionLoops() != 0 ||
      !llvm::all_of(generic.getIndexingMapsArray(),
                    [](AffineMap map) { return map.isIdentity(); }))
    return Linear::None;
  Block *body = generic.getBody();
  Operation *yielded = body->getTerminator()->getOperand(0).getDefiningOp();
  if (!yielded || yielded->getBlock() != body ||
      yielded->getNumOperands() != generic.getNumDpsInputs())
    return Linear::None;
  for (auto [position, operand] : llvm::enumerate(yielded->getOperands()))
    if (operand != body->getArgument(position))
      return Linear::None;
  if (isa<arith::AddFOp>(yielded))
    return Linear::Add;
  if (isa<arith::SubFOp>(yielded))
    return Linear::Sub;
  return isa<arith::NegFOp>(yielded) ? Linear::Neg : Linear::None;
}
