#ifndef SPARSAM_STRUCTURE_LOWRANK_LOWRANK_H
#define SPARSAM_STRUCTURE_LOWRANK_LOWRANK_H

#include "sparsam/IR/SparsamDialect.h"

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/LowRank/LowRank.h.inc"

namespace mlir::sparsam {
void registerLowRank(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_LOWRANK_LOWRANK_H
