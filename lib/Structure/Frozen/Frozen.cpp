#include "sparsam/Structure/Frozen/Frozen.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Frozen/Frozen.cpp.inc"

void sparsam::registerFrozen(DialectRegistry &registry) {
  registerStructures<FrozenAttr>(registry);
}

LogicalResult FrozenAttr::verify(function_ref<InFlightDiagnostic()>, ArrayRef<int64_t>,
                                 ArrayRef<int64_t>) {
  return success();
}

StructureInterface FrozenAttr::withView(ArrayRef<int64_t> in,
                                        ArrayRef<int64_t> stack) const {
  return FrozenAttr::get(getContext(), in, stack);
}

FailureOr<SmallVector<FactorTerm>>
FrozenAttr::getTerms(RankedTensorType matrix, function_ref<InFlightDiagnostic()>) const {
  FactorTerm term;
  term.factors = {{"dense", "kn", matrix, {}, /*isFrozen=*/true}};
  term.in = "k";
  term.out = "n";
  return SmallVector<FactorTerm>{std::move(term)};
}

FailureOr<StructureCost> FrozenAttr::getCost(RankedTensorType matrix) const {
  int64_t entries = matrix.getNumElements();
  return StructureCost{0, entries * matrix.getElementTypeBitWidth() / 8, 2 * entries,
                       /*gradientFlopsPerRow=*/0};
}

FailureOr<SmallVector<Value>> FrozenAttr::buildFactorize(OpBuilder &, Location,
                                                         Value matrix) const {
  return SmallVector<Value>{matrix};
}
