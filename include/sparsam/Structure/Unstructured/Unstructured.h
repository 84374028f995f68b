#ifndef SPARSAM_STRUCTURE_UNSTRUCTURED_UNSTRUCTURED_H
#define SPARSAM_STRUCTURE_UNSTRUCTURED_UNSTRUCTURED_H

#include "sparsam/IR/SparsamDialect.h"
#include "sparsam/Structure/Density.h"

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Unstructured/Unstructured.h.inc"

namespace mlir::sparsam {
void registerUnstructured(DialectRegistry &registry);
/// What `registerUnstructured` attaches for the CPU.
void registerUnstructuredCpuKernels(DialectRegistry &registry);
/// What it attaches for sparse_tensor.
void registerUnstructuredSparseTensor(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_UNSTRUCTURED_UNSTRUCTURED_H
