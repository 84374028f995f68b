#include "sparsam/Structure/Unstructured/Unstructured.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Unstructured/Unstructured.cpp.inc"

void sparsam::registerUnstructured(DialectRegistry &registry) {
  registerStructures<UnstructuredAttr>(registry);
  registerUnstructuredCpuKernels(registry);
  registerUnstructuredSparseTensor(registry);
}

LogicalResult UnstructuredAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                       APFloat density, ArrayRef<int64_t>,
                                       ArrayRef<int64_t>) {
  return verifyDensity(density, emitError);
}

StructureInterface UnstructuredAttr::withView(ArrayRef<int64_t> in,
                                              ArrayRef<int64_t> stack) const {
  return UnstructuredAttr::get(getContext(), getDensity(), in, stack);
}

FailureOr<StructureInterface> UnstructuredAttr::withDensity(double density) const {
  if (!isDensity(density))
    return failure();
  return StructureInterface(
      UnstructuredAttr::get(getContext(), APFloat(density), getIn(), getStack()));
}

FailureOr<SmallVector<StorageTensor>>
UnstructuredAttr::getStorage(RankedTensorType matrix,
                             function_ref<InFlightDiagnostic()> emitError) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  int64_t count = countAtDensity(getDensity(), inputs * outputs);
  if (count > std::numeric_limits<int32_t>::max())
    return emitError() << *this << " stores " << count << " entries of " << inputs << "x"
                       << outputs << ", expected fewer than 2^31; lower the density";
  Type wide = IntegerType::get(getContext(), 32);
  Type index = IntegerType::get(getContext(), inputs > 65536 ? 32 : 16);
  return SmallVector<StorageTensor>{
      {"values", RankedTensorType::get({count}, matrix.getElementType()),
       StorageRole::Trainable},
      {"positions", RankedTensorType::get({outputs + 1}, wide), StorageRole::Index},
      {"indices", RankedTensorType::get({count}, index), StorageRole::Index}};
}

FailureOr<StructureCost> UnstructuredAttr::getCost(RankedTensorType matrix) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  int64_t count = countAtDensity(getDensity(), inputs * outputs);
  int64_t indexBytes = inputs > 65536 ? 4 : 2;
  return StructureCost{count,
                       count * (matrix.getElementTypeBitWidth() / 8 + indexBytes) +
                           4 * (outputs + 1),
                       2 * count};
}

LogicalResult
UnstructuredAttr::verifyPattern(RankedTensorType matrix,
                                ArrayRef<ArrayRef<int64_t>> pattern,
                                function_ref<InFlightDiagnostic()> emitError) const {
  ArrayRef<int64_t> positions = pattern[0], indices = pattern[1];
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  int64_t count = indices.size();
  if (positions.front() != 0)
    return emitError() << "positions[0] is " << positions.front() << ", expected 0";
  if (positions.back() != count)
    return emitError() << "positions[" << outputs << "] is " << positions.back()
                       << ", expected the " << count << " entries that are stored";
  for (int64_t output = 0; output < outputs; ++output)
    if (positions[output + 1] < positions[output])
      return emitError() << "positions[" << output + 1 << "] is " << positions[output + 1]
                         << ", expected none below the " << positions[output]
                         << " before it";
  for (int64_t output = 0; output < outputs; ++output)
    for (int64_t place = positions[output]; place < positions[output + 1]; ++place) {
      if (indices[place] < 0 || indices[place] >= inputs)
        return emitError() << "indices[" << place << "] is " << indices[place]
                           << ", expected an input from 0 to " << inputs - 1;
      if (place > positions[output] && indices[place] <= indices[place - 1])
        return emitError() << "indices[" << place << "] is " << indices[place]
                           << ", expected one above the " << indices[place - 1]
                           << " before it in output " << output;
    }
  return success();
}
