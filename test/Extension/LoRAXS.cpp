// A factor structure from outside: its einsum, its cost and its initialisation are all
// that it says.
#include "LoRAXS.h"
#include "sparsam/Structure/BuildPattern.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "LoRAXS.cpp.inc"

void sparsam::registerLoRAXS(DialectRegistry &registry) {
  registerStructures<LoRAXSAttr>(registry);
}

LogicalResult LoRAXSAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t rank, ArrayRef<int64_t>, ArrayRef<int64_t>) {
  if (rank < 1)
    return emitError() << "expected a rank of at least 1, found " << rank;
  return success();
}

StructureInterface LoRAXSAttr::withView(ArrayRef<int64_t> in,
                                        ArrayRef<int64_t> stack) const {
  return LoRAXSAttr::get(getContext(), getRank(), in, stack);
}

FailureOr<SmallVector<FactorTerm>>
LoRAXSAttr::getTerms(RankedTensorType matrix,
                     function_ref<InFlightDiagnostic()> emitError) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  if (getRank() > std::min(inputs, outputs))
    return emitError() << *this << " has a rank larger than the shape: expected at most "
                       << std::min(inputs, outputs) << " for " << inputs << "x"
                       << outputs;
  auto typeOf = [&](int64_t rows, int64_t columns) {
    return RankedTensorType::get({rows, columns}, matrix.getElementType());
  };
  FactorTerm base, adapter;
  base.factors = {{"base", "kn", matrix, {}, /*isFrozen=*/true}};
  adapter.factors = {{"u", "kp", typeOf(inputs, getRank()), {}, /*isFrozen=*/true},
                     {"r", "pq", typeOf(getRank(), getRank())},
                     {"v", "qn", typeOf(getRank(), outputs), {}, /*isFrozen=*/true}};
  base.in = adapter.in = "k";
  base.out = adapter.out = "n";
  return SmallVector<FactorTerm>{std::move(base), std::move(adapter)};
}

FailureOr<StructureCost> LoRAXSAttr::getCost(RankedTensorType matrix) const {
  auto terms = getTerms(matrix, [] { return InFlightDiagnostic(); });
  if (failed(terms))
    return failure();
  int64_t entries = 0;
  for (const FactorTerm &term : *terms)
    for (const Factor &factor : term.factors)
      entries += factor.type.getNumElements();
  auto cost = getCostOfTerms(*terms, 2 * entries);
  // x * U and dy * V^T are there already.
  if (succeeded(cost))
    cost->gradientFlopsPerRow = 2 * cost->entries;
  return cost;
}

FailureOr<SmallVector<Value>> LoRAXSAttr::buildFactorize(OpBuilder &builder, Location loc,
                                                         Value matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(matrix.getType());
  auto terms = getTerms(type, [&] { return emitError(loc); });
  if (failed(terms))
    return failure();
  ArrayRef<Factor> adapter = terms->back().factors;
  auto vectors =
      createRuntimeCall(b, getRuntimeName("sparsam_svd", type.getElementType()), matrix,
                        {adapter[0].type, adapter[2].type});
  Value zeros = createZeros(b, adapter[1].type.getShape(), type.getElementType());
  return SmallVector<Value>{matrix, vectors[0], zeros, vectors[1]};
}
