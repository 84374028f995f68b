#ifndef EXTENSION_BAND_H
#define EXTENSION_BAND_H

#include "sparsam/IR/SparsamDialect.h"

#define GET_ATTRDEF_CLASSES
#include "Band.h.inc"

namespace mlir::sparsam {
void registerBand(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // EXTENSION_BAND_H
