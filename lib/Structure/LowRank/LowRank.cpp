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
                                  int64_t rank, ArrayRef<int64_t>) {
  if (rank < 1)
    return emitError() << "expected a rank of at least 1, found " << rank;
  return success();
}

LogicalResult
LowRankAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                            function_ref<InFlightDiagnostic()> emitError) const {
  return verifyStructure(*this, shape, elementType, emitError);
}

StructureKind LowRankAttr::getKind() const { return StructureKind::Factors; }

StructureInterface LowRankAttr::withIn(ArrayRef<int64_t> in) const {
  return LowRankAttr::get(getContext(), getRank(), in);
}

FailureOr<SmallVector<StorageTensor>>
LowRankAttr::getStorage(RankedTensorType matrix,
                        function_ref<InFlightDiagnostic()> emitError) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  if (getRank() > std::min(inputs, outputs))
    return emitError() << *this << " has a rank larger than the shape: expected at most "
                       << std::min(inputs, outputs) << " for " << inputs << "x"
                       << outputs;
  Type element = matrix.getElementType();
  return SmallVector<StorageTensor>{
      {"u", RankedTensorType::get({inputs, getRank()}, element), true},
      {"v", RankedTensorType::get({getRank(), outputs}, element), true}};
}

FailureOr<FactorEinsum> LowRankAttr::getEinsum(RankedTensorType) const {
  return FactorEinsum{{"kr", "rn"}, "k", "n"};
}

FailureOr<StructureCost> LowRankAttr::getCost(RankedTensorType matrix) const {
  int64_t entries = getRank() * (matrix.getDimSize(0) + matrix.getDimSize(1));
  return StructureCost{entries, entries * matrix.getElementTypeBitWidth() / 8,
                       2 * entries};
}
