#include "sparsam/Structure/Unstructured/Unstructured.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

/// `<density = 0.25, in = [0]`.
static ParseResult parseUnstructuredFields(AsmParser &parser, FailureOr<APFloat> &density,
                                           SmallVector<int64_t> &in,
                                           SmallVector<int64_t> &stack) {
  if (failed(parser.parseOptionalLess()))
    return emitNoDensity(parser);
  return parseDensityFields(parser, density, in, stack);
}

static void printUnstructuredFields(AsmPrinter &printer, const APFloat &density,
                                    ArrayRef<int64_t> in, ArrayRef<int64_t> stack) {
  printer << "<";
  printDensityFields(printer, density, in, stack);
}

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

SmallVector<IndexRule> UnstructuredAttr::getIndexRules(RankedTensorType matrix) const {
  IndexRule positions, indices;
  positions.kind = IndexRule::Kind::Offsets;
  positions.place = "positions[{}]";
  positions.range =
      countAtDensity(getDensity(), matrix.getDimSize(0) * matrix.getDimSize(1));
  indices.kind = IndexRule::Kind::Rows;
  indices.place = "indices[{}]";
  indices.what = "an input";
  indices.range = matrix.getDimSize(0);
  return {positions, indices};
}
