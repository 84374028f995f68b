#ifndef SPARSAM_STRUCTURE_VNM_VNM_H
#define SPARSAM_STRUCTURE_VNM_VNM_H

#include "sparsam/IR/SparsamDialect.h"

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/VNM/VNM.h.inc"

namespace mlir::sparsam {
void registerVNM(DialectRegistry &registry);
/// What `registerVNM` attaches for the CPU.
void registerVNMCpuKernels(DialectRegistry &registry);
/// What it attaches for sparse_tensor.
void registerVNMSparseTensor(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_VNM_VNM_H
