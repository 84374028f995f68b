#ifndef EXTENSION_LORAXS_H
#define EXTENSION_LORAXS_H

#include "sparsam/IR/SparsamDialect.h"

#define GET_ATTRDEF_CLASSES
#include "LoRAXS.h.inc"

namespace mlir::sparsam {
void registerLoRAXS(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // EXTENSION_LORAXS_H
