// What operations do to a buffer, calls of kernels included.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_KERNELEFFECTS_H
#define SPARSAM_LIB_CONVERSION_TOCPU_KERNELEFFECTS_H

#include "sparsam/Conversion/ToCPU/CpuKernels.h"

namespace mlir::sparsam::cpu {

/// Whether `matrix` holds at `last` what it held at `first`, which is in the same block.
bool isUnchangedBetween(Value matrix, Operation *first, Operation *last,
                        const KernelLibrary &library);

/// Whether what `known` has been filled with from `source` is what it would be filled
/// with at the insertion point.
bool isUpToDate(const KernelLibrary::Filled &known, Value source, OpBuilder &builder,
                const KernelLibrary &library);

/// Whether nothing from `first` to `last`, in the same block and both excluded, may
/// read or write the memory of `matrix`.
bool isUnusedBetween(Value matrix, Operation *first, Operation *last);

/// Whether any operation but those of `known`, or a caller, may read the memory of
/// `matrix`.
bool isUsedElsewhere(Value matrix, ArrayRef<Operation *> known);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_LIB_CONVERSION_TOCPU_KERNELEFFECTS_H
