#include "sparsam/Structure/Sum/Sum.h"
#include "sparsam/Transforms/BuildProduct.h"
#include "sparsam/Transforms/Composition.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Sum/Sum.cpp.inc"

void sparsam::registerSum(DialectRegistry &registry) {
  registerStructures<SumAttr>(registry);
}

LogicalResult SumAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                              StructureInterface factors, StructureInterface pattern,
                              ArrayRef<int64_t>, ArrayRef<int64_t>) {
  if (factors.getKind() != StructureKind::Factors)
    return emitError() << "the first structure must be a factor structure, found "
                       << factors;
  if (!factors.getIn().empty() || !factors.getStack().empty())
    return emitError() << "the first structure must be in the default view, found "
                       << factors << "; the view is the sum's";
  return verifyInnerPattern(pattern, "the second structure", emitError);
}

StructureInterface SumAttr::withView(ArrayRef<int64_t> in,
                                     ArrayRef<int64_t> stack) const {
  return SumAttr::get(getContext(), getFactors(), getPattern(), in, stack);
}

FailureOr<SmallVector<FactorTerm>>
SumAttr::getTerms(RankedTensorType matrix,
                  function_ref<InFlightDiagnostic()> emitError) const {
  auto terms = getFactors().getTerms(matrix, emitError);
  if (failed(terms) || failed(getPattern().getStorage(matrix, emitError)))
    return failure();
  FactorTerm stored;
  stored.factors = {{"", "kn", matrix, getPattern()}};
  stored.in = "k";
  stored.out = "n";
  terms->push_back(std::move(stored));
  llvm::StringSet<> names;
  for (const FactorTerm &term : *terms)
    for (const Factor &factor : term.factors) {
      auto storage = getFactorStorage(factor, emitError);
      if (failed(storage))
        return failure();
      for (const StorageTensor &tensor : *storage)
        if (!names.insert(tensor.name).second)
          return emitError() << *this << " has two tensors named " << tensor.name;
    }
  return terms;
}

FailureOr<StructureCost> SumAttr::getCost(RankedTensorType matrix) const {
  auto factors = getFactors().getCost(matrix), pattern = getPattern().getCost(matrix);
  if (failed(factors) || failed(pattern))
    return failure();
  return StructureCost{factors->entries + pattern->entries,
                       factors->bytes + pattern->bytes,
                       factors->flopsPerRow + pattern->flopsPerRow,
                       factors->gradientFlopsPerRow + pattern->gradientFlopsPerRow};
}

FailureOr<SmallVector<Value>> SumAttr::buildFactorize(OpBuilder &builder, Location loc,
                                                      Value matrix) const {
  auto factors = getFactors().buildFactorize(builder, loc, matrix);
  if (failed(factors))
    return failure();
  auto composition =
      Composition::get(getFactors(), cast<RankedTensorType>(matrix.getType()),
                       [&] { return emitError(loc); });
  if (failed(composition))
    return failure();
  auto approximation = composition->createSum(builder, loc, *factors);
  if (failed(approximation))
    return failure();
  factors->push_back(
      buildElementwise<arith::SubFOp>(builder, loc, {matrix, *approximation}));
  return factors;
}
