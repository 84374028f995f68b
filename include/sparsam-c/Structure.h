#ifndef SPARSAM_C_STRUCTURE_H
#define SPARSAM_C_STRUCTURE_H

/* Structures: attributes that say how one parameter is represented. There is no
 * function for any one structure; all are asked the same.
 *
 * What does not fit is an error diagnostic of the context at the location given,
 * and the function returns null or failure. */

#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum SparsamStructureKind {
  /* Some entries are stored, the rest are zero. */
  SparsamStructureKindPattern,
  /* A sum of einsums of smaller tensors. */
  SparsamStructureKindFactors
} SparsamStructureKind;

typedef enum SparsamStorageRole {
  /* The optimizer updates it and keeps state for it. */
  SparsamStorageRoleTrainable,
  /* Read only: no gradient, no state, no update. */
  SparsamStorageRoleFrozen,
  /* Says where the entries of a pattern are. */
  SparsamStorageRoleIndex
} SparsamStorageRole;

/* The structure that `text`, the text inside `#sparsam.…`, describes, such as
 * "nm<2:4>"; null where it does not parse. Loads the dialect. */
MLIR_CAPI_EXPORTED MlirAttribute sparsamStructureParse(MlirStringRef text,
                                                       MlirLocation location);

MLIR_CAPI_EXPORTED bool sparsamAttributeIsAStructure(MlirAttribute attribute);

/* The structure that encodes a tensor type, or null. */
MLIR_CAPI_EXPORTED MlirAttribute sparsamTypeGetStructure(MlirType type);

MLIR_CAPI_EXPORTED SparsamStructureKind sparsamStructureGetKind(MlirAttribute structure);

/* How the dimensions of a parameter of a ranked tensor type are those of the matrices
 * that a structure acts on, K inputs by N outputs, one for each stacked layer. */
typedef struct SparsamMatrixView {
  intptr_t numInputs;
  intptr_t numOutputs;
  intptr_t numStacked;
  /* The tensor type of one matrix. */
  MlirType matrix;
} SparsamMatrixView;

/* Fills in `view`, and the dimensions of the parameter that are inputs, outputs and those
 * of stacked layers, in the order in which they are flattened. Each array has room for
 * the rank of the type, or is null. */
MLIR_CAPI_EXPORTED MlirLogicalResult sparsamStructureGetMatrixView(
    MlirAttribute structure, MlirType parameter, MlirLocation location,
    SparsamMatrixView *view, int64_t *inputs, int64_t *outputs, int64_t *stacked);

/* The same structure with the given dimensions as inputs, none for the default, and as
 * those of stacked layers. */
MLIR_CAPI_EXPORTED MlirAttribute sparsamStructureWithView(MlirAttribute structure,
                                                          intptr_t numInputs,
                                                          const int64_t *inputs,
                                                          intptr_t numStacked,
                                                          const int64_t *stacked);

/* The plain tensors that a parameter of a ranked tensor type is stored as, in the order
 * in which every operation takes them. Owned by the caller, and good for as long as the
 * context; null where the structure does not fit the type. */
typedef struct SparsamStorage {
  void *ptr;
} SparsamStorage;

MLIR_CAPI_EXPORTED SparsamStorage sparsamStructureGetStorage(MlirAttribute structure,
                                                             MlirType parameter,
                                                             MlirLocation location);
static inline bool sparsamStorageIsNull(SparsamStorage storage) { return !storage.ptr; }
MLIR_CAPI_EXPORTED void sparsamStorageDestroy(SparsamStorage storage);
MLIR_CAPI_EXPORTED intptr_t sparsamStorageGetNumTensors(SparsamStorage storage);
/* "values", "indices", "u", …; owned by the storage. */
MLIR_CAPI_EXPORTED MlirStringRef sparsamStorageGetName(SparsamStorage storage,
                                                       intptr_t position);
MLIR_CAPI_EXPORTED MlirType sparsamStorageGetType(SparsamStorage storage,
                                                  intptr_t position);
MLIR_CAPI_EXPORTED SparsamStorageRole sparsamStorageGetRole(SparsamStorage storage,
                                                            intptr_t position);

typedef struct SparsamStructureCost {
  /* Trainable entries that are stored, of all layers. */
  int64_t entries;
  /* Of the whole storage. */
  int64_t bytes;
  /* Multiplications and additions of one row of x * W in one layer; backward-input costs
   * as much. */
  int64_t flopsPerRow;
  /* Of one row of backward-weight. */
  int64_t gradientFlopsPerRow;
} SparsamStructureCost;

/* What a parameter of a ranked tensor type costs. Fails, with an error, for a structure
 * that does not know. */
MLIR_CAPI_EXPORTED MlirLogicalResult sparsamStructureGetCost(MlirAttribute structure,
                                                             MlirType parameter,
                                                             MlirLocation location,
                                                             SparsamStructureCost *cost);

/* Whether index tensors that come from outside, such as those of a checkpoint, are a
 * pattern of a parameter: one array for each index tensor of the storage, in its order,
 * row-major, of `sizes[i]` elements. An error says where they are none; compiled code
 * relies on it. */
MLIR_CAPI_EXPORTED MlirLogicalResult sparsamStructureVerifyPattern(
    MlirAttribute structure, MlirType parameter, intptr_t numArrays,
    const int64_t *const *arrays, const intptr_t *sizes, MlirLocation location);

#ifdef __cplusplus
}
#endif

#endif /* SPARSAM_C_STRUCTURE_H */
