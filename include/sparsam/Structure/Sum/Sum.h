#ifndef SPARSAM_STRUCTURE_SUM_SUM_H
#define SPARSAM_STRUCTURE_SUM_SUM_H

#include "sparsam/IR/SparsamDialect.h"

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Sum/Sum.h.inc"

namespace mlir::sparsam {
void registerSum(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_SUM_SUM_H
