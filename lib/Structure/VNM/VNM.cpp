#include "sparsam/Structure/VNM/VNM.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/VNM/VNM.cpp.inc"

void sparsam::registerVNM(DialectRegistry &registry) {
  registerStructures<VNMAttr>(registry);
  registerVNMCpuKernels(registry);
  registerVNMSparseTensor(registry);
}

LogicalResult VNMAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t v,
                              int64_t n, int64_t m, ArrayRef<int64_t>,
                              ArrayRef<int64_t>) {
  if (n < 1 || n > 4)
    return emitError() << "expected N from 1 to 4, found " << n;
  if (m < 4)
    return emitError() << "expected M of at least 4, found " << m;
  if (v < 1)
    return emitError() << "expected V of at least 1, found " << v;
  return success();
}

StructureInterface VNMAttr::withView(ArrayRef<int64_t> in,
                                     ArrayRef<int64_t> stack) const {
  return VNMAttr::get(getContext(), getV(), getN(), getM(), in, stack);
}

FailureOr<SmallVector<StorageTensor>>
VNMAttr::getStorage(RankedTensorType matrix,
                    function_ref<InFlightDiagnostic()> emitError) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  if (inputs % getM())
    return emitError() << *this << " needs inputs that are a multiple of M = " << getM()
                       << ", found " << inputs << " (remainder " << inputs % getM()
                       << ")";
  if (outputs % getV())
    return emitError() << *this << " needs outputs that are a multiple of V = " << getV()
                       << ", found " << outputs << " (remainder " << outputs % getV()
                       << ")";
  int64_t groups = inputs / getM(), kept = groups * getN();
  Type narrow = IntegerType::get(getContext(), 16);
  Type input = IntegerType::get(getContext(), inputs > 65536 ? 32 : 16);
  return SmallVector<StorageTensor>{
      {"values", RankedTensorType::get({outputs, kept}, matrix.getElementType()),
       StorageRole::Trainable},
      {"columns", RankedTensorType::get({outputs / getV(), groups * 4}, input),
       StorageRole::Index},
      {"indices", RankedTensorType::get({outputs, kept}, narrow), StorageRole::Index}};
}

FailureOr<StructureCost> VNMAttr::getCost(RankedTensorType matrix) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  int64_t groups = inputs / getM(), entries = groups * getN() * outputs;
  int64_t columnBytes = inputs > 65536 ? 4 : 2;
  return StructureCost{entries,
                       entries * (matrix.getElementTypeBitWidth() / 8 + 2) +
                           outputs / getV() * groups * 4 * columnBytes,
                       2 * entries};
}

SmallVector<IndexRule> VNMAttr::getIndexRules(RankedTensorType matrix) const {
  int64_t groups = matrix.getDimSize(0) / getM();
  IndexRule columns, indices;
  columns.place = "columns[{}, {}]";
  columns.what = "an input";
  columns.columns = groups * 4;
  columns.run = 4;
  columns.period = groups;
  columns.step = columns.range = getM();
  indices.place = "indices[{}, {}]";
  indices.what = "a column";
  indices.columns = groups * getN();
  indices.run = getN();
  indices.range = 4;
  return {columns, indices};
}
