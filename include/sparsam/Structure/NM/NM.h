#ifndef SPARSAM_STRUCTURE_NM_NM_H
#define SPARSAM_STRUCTURE_NM_NM_H

#include "sparsam/IR/SparsamDialect.h"

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/NM/NM.h.inc"

namespace mlir::sparsam {
void registerNM(DialectRegistry &registry);
/// What `registerNM` attaches for the CPU.
void registerNMCpuKernels(DialectRegistry &registry);
/// What it attaches for sparse_tensor.
void registerNMSparseTensor(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_NM_NM_H
