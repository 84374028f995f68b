#include "sparsam/Structure/NM/NM.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/NM/NM.cpp.inc"

void sparsam::registerNM(DialectRegistry &registry) {
  registerStructures<NMAttr>(registry);
  registerNMCpuKernels(registry);
}

LogicalResult NMAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t n,
                             int64_t m, int64_t vector, ArrayRef<int64_t>,
                             ArrayRef<int64_t>) {
  if (n < 1 || n > m)
    return emitError() << "expected 1 <= N <= M, found " << n << ":" << m;
  if (vector < 1)
    return emitError() << "expected a vector of at least 1, found " << vector;
  return success();
}

LogicalResult NMAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                     function_ref<InFlightDiagnostic()> emitError) const {
  return verifyStructure(*this, shape, elementType, emitError);
}

StructureKind NMAttr::getKind() const { return StructureKind::Pattern; }

StructureInterface NMAttr::withView(ArrayRef<int64_t> in, ArrayRef<int64_t> stack) const {
  return NMAttr::get(getContext(), getN(), getM(), getVector(), in, stack);
}

FailureOr<SmallVector<StorageTensor>>
NMAttr::getStorage(RankedTensorType matrix,
                   function_ref<InFlightDiagnostic()> emitError) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  if (inputs % getM())
    return emitError() << *this << " needs inputs that are a multiple of M = " << getM()
                       << ", found " << inputs << " (remainder " << inputs % getM()
                       << ")";
  if (outputs % getVector())
    return emitError() << *this
                       << " needs outputs that are a multiple of vector = " << getVector()
                       << ", found " << outputs << " (remainder " << outputs % getVector()
                       << ")";
  int64_t blocks = outputs / getVector(), kept = inputs / getM() * getN();
  Type index = IntegerType::get(getContext(), inputs > 65536 ? 32 : 16);
  return SmallVector<StorageTensor>{
      {"values",
       RankedTensorType::get({blocks, kept, getVector()}, matrix.getElementType()),
       StorageRole::Trainable},
      {"indices", RankedTensorType::get({blocks, kept}, index), StorageRole::Index}};
}

FailureOr<StructureCost> NMAttr::getCost(RankedTensorType matrix) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  int64_t kept = inputs / getM() * getN();
  int64_t entries = kept * outputs;
  int64_t indexBytes = inputs > 65536 ? 4 : 2;
  return StructureCost{entries,
                       entries * matrix.getElementTypeBitWidth() / 8 +
                           outputs / getVector() * kept * indexBytes,
                       2 * entries};
}

LogicalResult NMAttr::verifyPattern(RankedTensorType matrix,
                                    ArrayRef<ArrayRef<int64_t>> pattern,
                                    function_ref<InFlightDiagnostic()> emitError) const {
  ArrayRef<int64_t> indices = pattern.front();
  int64_t kept = matrix.getDimSize(0) / getM() * getN();
  for (auto [position, index] : llvm::enumerate(indices)) {
    int64_t place = position % kept, first = place / getN() * getM();
    // Ascending within the group: above the one before it.
    int64_t least = place % getN() ? indices[position - 1] + 1 : first;
    if (index < first || index >= first + getM())
      return emitError() << "indices[" << position / kept << ", " << place << "] is "
                         << index << ", expected an input from " << first << " to "
                         << first + getM() - 1;
    if (index < least)
      return emitError() << "indices[" << position / kept << ", " << place << "] is "
                         << index << ", expected one above the " << least - 1
                         << " before it";
  }
  return success();
}
