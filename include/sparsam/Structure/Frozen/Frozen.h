#ifndef SPARSAM_STRUCTURE_FROZEN_FROZEN_H
#define SPARSAM_STRUCTURE_FROZEN_FROZEN_H

#include "sparsam/IR/SparsamDialect.h"

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Frozen/Frozen.h.inc"

namespace mlir::sparsam {
void registerFrozen(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_FROZEN_FROZEN_H
