#ifndef SPARSAM_STRUCTURE_DYNAMIC_DYNAMIC_H
#define SPARSAM_STRUCTURE_DYNAMIC_DYNAMIC_H

#include "sparsam/IR/SparsamDialect.h"

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Dynamic/Dynamic.h.inc"

namespace mlir::sparsam {
void registerDynamic(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_DYNAMIC_DYNAMIC_H
