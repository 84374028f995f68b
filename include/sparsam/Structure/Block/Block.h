#ifndef SPARSAM_STRUCTURE_BLOCK_BLOCK_H
#define SPARSAM_STRUCTURE_BLOCK_BLOCK_H

#include "sparsam/IR/SparsamDialect.h"
#include "sparsam/Structure/Density.h"

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Block/Block.h.inc"

namespace mlir::sparsam {
void registerBlock(DialectRegistry &registry);
/// What `registerBlock` attaches for the CPU.
void registerBlockCpuKernels(DialectRegistry &registry);
/// What it attaches for sparse_tensor.
void registerBlockSparseTensor(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_BLOCK_BLOCK_H
