// Patterns of single outputs, with their values, sorted by input for dx: by ranges of
// outputs whose panel fits in the first-level cache, and in each by the input that is
// kept. The kernel then gathers, as forward does; adding into rows of dx would store a
// vector for each multiplication.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_SORTEDKEPT_H
#define SPARSAM_LIB_CONVERSION_TOCPU_SORTEDKEPT_H

#include "KeptProduct.h"

namespace mlir::sparsam::cpu {

/// A pattern of single outputs as sorted entries have it. An entry is a value and, as
/// an integer as wide, the row to gather.
class SortedKept : public KeptInputs {
public:
  /// What keeps each input.
  explicit SortedKept(const KeptInputs &pattern);

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
};

/// Whether sorting the entries repays for a transposed product with so many tokens.
bool repaysSorting(const KeptProduct &product);

/// Builds the call that sorts the entries of `pattern`, in the order of `sorted`, into
/// ranges of `units` gathered rows: values, pattern and ranges for a kernel that goes
/// through `bunch` outputs at a time.
KernelOperands sortKept(ImplicitLocOpBuilder &b, const KeptProduct &product,
                        const SortedKept &sorted, Value values, ValueRange pattern,
                        int64_t units, int64_t bunch, KernelLibrary &library);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_LIB_CONVERSION_TOCPU_SORTEDKEPT_H
