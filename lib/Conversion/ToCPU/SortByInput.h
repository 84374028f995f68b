// The kernel that sorts the entries of a pattern for `SortedKept`.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_SORTBYINPUT_H
#define SPARSAM_LIB_CONVERSION_TOCPU_SORTBYINPUT_H

#include "SortedLayout.h"

namespace mlir::sparsam::cpu {

/// Sorts entries by ranges of outputs, and in each by the input that is kept, by
/// counting. The arguments are values and index tensors, as stored, and the buffer to
/// fill.
void buildSortByInput(ImplicitLocOpBuilder &b, const KeptProduct &product,
                      const SortedLayout &layout, int64_t bunch, ValueRange arguments);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_LIB_CONVERSION_TOCPU_SORTBYINPUT_H
