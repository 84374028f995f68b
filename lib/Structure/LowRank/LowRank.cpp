#include "sparsam/Structure/LowRank/LowRank.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/LowRank/LowRank.cpp.inc"

void sparsam::registerLowRank(DialectRegistry &registry) {
  registerStructures<LowRankAttr>(registry);
}

LogicalResult LowRankAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                  int64_t rank, StructureInterface factors,
                                  ArrayRef<int64_t>, ArrayRef<int64_t>) {
  if (rank < 1)
    return emitError() << "expected a rank of at least 1, found " << rank;
  if (factors)
    return verifyInnerPattern(factors, "factors", emitError);
  return success();
}

StructureInterface LowRankAttr::withView(ArrayRef<int64_t> in,
                                         ArrayRef<int64_t> stack) const {
  return LowRankAttr::get(getContext(), getRank(), getFactors(), in, stack);
}

FailureOr<SmallVector<FactorTerm>>
LowRankAttr::getTerms(RankedTensorType matrix,
                      function_ref<InFlightDiagnostic()> emitError) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  if (getRank() > std::min(inputs, outputs))
    return emitError() << *this << " has a rank larger than the shape: expected at most "
                       << std::min(inputs, outputs) << " for " << inputs << "x"
                       << outputs;
  Type element = matrix.getElementType();
  FactorTerm term;
  term.factors = {
      {"u", "kr", RankedTensorType::get({inputs, getRank()}, element), getFactors()},
      {"v", "rn", RankedTensorType::get({getRank(), outputs}, element), getFactors()}};
  term.in = "k";
  term.out = "n";
  return SmallVector<FactorTerm>{std::move(term)};
}

FailureOr<StructureCost> LowRankAttr::getCost(RankedTensorType matrix) const {
  auto terms = getTerms(matrix, [] { return InFlightDiagnostic(); });
  if (failed(terms))
    return failure();
  return getCostOfTerms(*terms);
}
