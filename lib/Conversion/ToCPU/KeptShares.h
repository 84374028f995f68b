// The blocks of a pattern cut into shares of about the same work, for threads to take.
// Where a share starts follows from the pattern alone, found by binary search: which
// thread computes what is the same in every call, and no result depends on it.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_KEPTSHARES_H
#define SPARSAM_LIB_CONVERSION_TOCPU_KEPTSHARES_H

#include "KeptProduct.h"

namespace mlir::sparsam::cpu {

/// Work in at least so many pieces keeps threads equally busy, if there are not very
/// many.
constexpr int64_t enoughPieces = 8;

/// The blocks from `begin` up to `end`.
struct Share {
  Value begin, end;
};

/// Consecutive shares of a pattern's blocks. Where blocks keep different numbers, some
/// shares may have many blocks and others none.
struct Shares {
  /// At least `least` shares, where the blocks allow it, for a kernel that takes each
  /// block once for each of its ranges of inputs. Their number is even: two threads find
  /// exactly half of the work each. No share tears apart `grain` consecutive blocks,
  /// counted from the first one.
  Shares(const KeptInputs &kept, int64_t least, int64_t grain, int64_t ranges);

  int64_t count, grain;
  /// What a block costs besides its kept inputs, as a number of these.
  int64_t overhead;
};

/// The shares of a pattern in a kernel.
class SharedBlocks {
public:
  /// Finds where the shares start; what follows may run in parallel.
  SharedBlocks(ImplicitLocOpBuilder &b, const KeptInputs &kept, const Shares &shares,
               ValueRange pattern, const InputRanges &ranges = {});

  Share get(ImplicitLocOpBuilder &b, Value share) const;

private:
  const KeptInputs &kept;
  Shares shares;
  /// Where they start and the end, if that is found in the pattern.
  Value starts;
};

/// Calls `body` in parallel for each of `first` x `second` pairs; those of one first
/// follow each other.
void buildParallelPairs(ImplicitLocOpBuilder &b, int64_t first, int64_t second,
                        function_ref<void(ImplicitLocOpBuilder &, Value, Value)> body);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_LIB_CONVERSION_TOCPU_KEPTSHARES_H
