#ifndef SPARSAM_STRUCTURE_MONARCH_MONARCH_H
#define SPARSAM_STRUCTURE_MONARCH_MONARCH_H

#include "sparsam/IR/SparsamDialect.h"

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Monarch/Monarch.h.inc"

namespace mlir::sparsam {
void registerMonarch(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_MONARCH_MONARCH_H
