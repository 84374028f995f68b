#include "MergedProduct.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace mlir::sparsam;

Merged::Merged(Product p, function_ref<bool(Value)> absorbs)
    : product(std::move(p)), origin(product.terms.size(), -1) {
  for (unsigned term = 0; term < product.terms.size(); ++term)
    if (absorbs(product.terms[term].value))
      product.absorbViews(term);
}

LogicalResult Merged::inlineTerm(unsigned term, const Product &inner, StringRef name) {
  Product absorbed = inner;
  absorbed.absorbViews();
  unsigned count = inner.terms.size();
  // The views may cut across what is here already, and then stay.
  if (failed(product.inlineTerm(term, absorbed)) &&
      failed(product.inlineTerm(term, inner)))
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

bool sparsam::isContraction(Operation *op, const Product &product) {
  if (!product.isElementwise())
    return true;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return linalgOp && ((product.terms.size() > 1 && linalgOp.getNumReductionLoops() > 0) ||
                      isOuterProduct(op));
}

FailureOr<Product> sparsam::getElementwiseProduct(Operation *op) {
  if (!op || !isa<linalg::LinalgOp>(op) || isView(op))
    return failure();
  FailureOr<Product> product = Product::of(op);
  if (failed(product) || isContraction(op, *product))
    return failure();
  return product;
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
