#ifndef SPARSAM_STRUCTURE_TENSORTRAIN_TENSORTRAIN_H
#define SPARSAM_STRUCTURE_TENSORTRAIN_TENSORTRAIN_H

#include "sparsam/IR/SparsamDialect.h"

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/TensorTrain/TensorTrain.h.inc"

namespace mlir::sparsam {
void registerTensorTrain(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_TENSORTRAIN_TENSORTRAIN_H
