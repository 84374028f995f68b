#ifndef SPARSAM_STRUCTURE_SLICE_SLICE_H
#define SPARSAM_STRUCTURE_SLICE_SLICE_H

#include "sparsam/IR/SparsamDialect.h"

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Slice/Slice.h.inc"

namespace mlir::sparsam {
void registerSlice(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_SLICE_SLICE_H
