// Patterns of single outputs, with their values, sorted for gathering from panels that
// fit in the first-level cache: by ranges of the gathered rows first. The kernel then
// reads the values of a range as one stream; in storage order it finds them in pieces
// too short to prefetch.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_SORTEDKEPT_H
#define SPARSAM_LIB_CONVERSION_TOCPU_SORTEDKEPT_H

#include "KeptProduct.h"

namespace mlir::sparsam::cpu {

/// A pattern of single outputs as sorted entries have it. An entry is a value and, as
/// an integer as wide, the row to gather.
class SortedKept : public KeptInputs {
public:
  /// What outputs keep, or, transposed, what keeps each input.
  SortedKept(const KeptInputs &pattern, bool transposed);

  /// Numbers of an entry.
  static constexpr int64_t width = 2;

  std::string getName() const override { return "sorted"; }
  int64_t getValueStride() const override { return width; }
  /// Its ranges have bounds, which say so.
  std::pair<Value, Value> buildSpan(ImplicitLocOpBuilder &, ValueRange,
                                    Value) const override {
    llvm_unreachable("sorted entries are in ranges");
  }
  Value buildInput(ImplicitLocOpBuilder &b, ValueRange pattern, Value block,
                   Value number) const override;

  const bool transposed;
};

/// Whether sorting the entries repays for a product with so many tokens.
bool repaysSorting(const KeptProduct &product, bool transposed);

/// Builds the call that sorts the entries of `pattern`, in the order of `sorted`, into
/// ranges of `units` gathered rows: values, pattern and ranges for a kernel that goes
/// through `bunch` outputs at a time.
KernelOperands sortKept(ImplicitLocOpBuilder &b, const KeptProduct &product,
                        const SortedKept &sorted, Value values, ValueRange pattern,
                        int64_t units, int64_t bunch, KernelLibrary &library);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_LIB_CONVERSION_TOCPU_SORTEDKEPT_H
