#include "sparsam-c/Structure.h"
#include "sparsam-c/Dialect.h"
#include "sparsam/IR/Structure.h"

#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Support.h"

using namespace mlir;
using namespace mlir::sparsam;

using StorageTensors = SmallVector<StorageTensor>;

static StructureInterface unwrapStructure(MlirAttribute attribute) {
  return cast<StructureInterface>(unwrap(attribute));
}

/// `type` as that of a parameter, or null after an error.
static RankedTensorType parameterType(MlirType type, Location location) {
  auto tensor = dyn_cast<RankedTensorType>(unwrap(type));
  if (!tensor)
    emitError(location) << "a parameter must be a ranked tensor, found " << unwrap(type);
  return tensor;
}

static const StorageTensor &tensorAt(SparsamStorage storage, intptr_t position) {
  return (*static_cast<StorageTensors *>(storage.ptr))[position];
}

MlirAttribute sparsamStructureParse(MlirStringRef text, MlirLocation location) {
  mlirDialectHandleLoadDialect(mlirGetDialectHandle__sparsam__(),
                               mlirLocationGetContext(location));
  auto structure = parseStructure(unwrap(text), unwrap(location));
  return wrap(succeeded(structure) ? Attribute(*structure) : Attribute());
}

bool sparsamAttributeIsAStructure(MlirAttribute attribute) {
  return isa_and_nonnull<StructureInterface>(unwrap(attribute));
}

MlirAttribute sparsamTypeGetStructure(MlirType type) {
  return wrap(Attribute(getStructure(unwrap(type))));
}

SparsamStructureKind sparsamStructureGetKind(MlirAttribute structure) {
  switch (unwrapStructure(structure).getKind()) {
  case StructureKind::Pattern:
    return SparsamStructureKindPattern;
  case StructureKind::Factors:
    return SparsamStructureKindFactors;
  }
  llvm_unreachable("a structure of no kind");
}

MlirLogicalResult sparsamStructureGetMatrixView(MlirAttribute structure,
                                                MlirType parameter, MlirLocation location,
                                                SparsamMatrixView *view, int64_t *inputs,
                                                int64_t *outputs, int64_t *stacked) {
  Location loc = unwrap(location);
  RankedTensorType type = parameterType(parameter, loc);
  if (!type)
    return mlirLogicalResultFailure();
  auto found =
      getMatrixView(unwrapStructure(structure), type, [&] { return emitError(loc); });
  if (failed(found))
    return mlirLogicalResultFailure();
  *view = {static_cast<intptr_t>(found->in.size()),
           static_cast<intptr_t>(found->out.size()),
           static_cast<intptr_t>(found->stack.size()), wrap(found->matrix)};
  if (inputs)
    llvm::copy(found->in, inputs);
  if (outputs)
    llvm::copy(found->out, outputs);
  if (stacked)
    llvm::copy(found->stack, stacked);
  return mlirLogicalResultSuccess();
}

MlirAttribute sparsamStructureWithView(MlirAttribute structure, intptr_t numInputs,
                                       const int64_t *inputs, intptr_t numStacked,
                                       const int64_t *stacked) {
  ArrayRef<int64_t> in(inputs, numInputs), stack(stacked, numStacked);
  return wrap(Attribute(unwrapStructure(structure).withView(in, stack)));
}

SparsamStorage sparsamStructureGetStorage(MlirAttribute structure, MlirType parameter,
                                          MlirLocation location) {
  Location loc = unwrap(location);
  RankedTensorType type = parameterType(parameter, loc);
  if (!type)
    return {nullptr};
  auto storage = getParameterStorage(unwrapStructure(structure), type,
                                     [&] { return emitError(loc); });
  if (failed(storage))
    return {nullptr};
  return {new StorageTensors(std::move(*storage))};
}

void sparsamStorageDestroy(SparsamStorage storage) {
  delete static_cast<StorageTensors *>(storage.ptr);
}

intptr_t sparsamStorageGetNumTensors(SparsamStorage storage) {
  return static_cast<StorageTensors *>(storage.ptr)->size();
}

MlirStringRef sparsamStorageGetName(SparsamStorage storage, intptr_t position) {
  return wrap(StringRef(tensorAt(storage, position).name));
}

MlirType sparsamStorageGetType(SparsamStorage storage, intptr_t position) {
  return wrap(Type(tensorAt(storage, position).type));
}

SparsamStorageRole sparsamStorageGetRole(SparsamStorage storage, intptr_t position) {
  switch (tensorAt(storage, position).role) {
  case StorageRole::Trainable:
    return SparsamStorageRoleTrainable;
  case StorageRole::Frozen:
    return SparsamStorageRoleFrozen;
  case StorageRole::Index:
    return SparsamStorageRoleIndex;
  }
  llvm_unreachable("a tensor of no role");
}

MlirLogicalResult sparsamStructureGetCost(MlirAttribute structure, MlirType parameter,
                                          MlirLocation location,
                                          SparsamStructureCost *cost) {
  Location loc = unwrap(location);
  RankedTensorType type = parameterType(parameter, loc);
  if (!type)
    return mlirLogicalResultFailure();
  auto found =
      getParameterCost(unwrapStructure(structure), type, [&] { return emitError(loc); });
  if (failed(found))
    return mlirLogicalResultFailure();
  *cost = {found->entries, found->bytes, found->flopsPerRow, found->gradientFlopsPerRow};
  return mlirLogicalResultSuccess();
}

MlirLogicalResult sparsamStructureVerifyPattern(MlirAttribute structure,
                                                MlirType parameter, intptr_t numArrays,
                                                const int64_t *const *arrays,
                                                const intptr_t *sizes,
                                                MlirLocation location) {
  Location loc = unwrap(location);
  RankedTensorType type = parameterType(parameter, loc);
  if (!type)
    return mlirLogicalResultFailure();
  SmallVector<ArrayRef<int64_t>> pattern;
  for (intptr_t i = 0; i < numArrays; ++i)
    pattern.emplace_back(arrays[i], sizes[i]);
  return wrap(verifyPattern(unwrapStructure(structure), type, pattern,
                            [&] { return emitError(loc); }));
}
