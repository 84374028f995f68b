// In which order a product of several terms is contracted.
#ifndef SPARSAM_ANALYSIS_CONTRACTIONPATH_H
#define SPARSAM_ANALYSIS_CONTRACTIONPATH_H

#include "sparsam/Analysis/Product.h"

namespace mlir::sparsam {

/// A pairwise contraction. Terms count first, then the results of earlier steps.
struct ContractionStep {
  unsigned lhs, rhs;
  /// The terms that the step's result stands for, one bit each.
  uint64_t terms;
};

struct ContractionPath {
  SmallVector<ContractionStep> steps;
  double flops = 0;
  /// Elements of all results but the last.
  double intermediates = 0;
};

/// How much an intermediate is worth that is the product of these terms, one bit each.
using Preference = function_ref<int64_t(uint64_t terms)>;

/// The cheapest order, by exhaustive search over pairwise contractions: fewest
/// FLOPs, then the intermediates that are worth most, then smallest intermediates, then
/// the earliest terms. Depends on nothing but the letters and what is preferred, so that
/// equal products choose equal orders. Fails for more than 12 terms or 64 letters.
FailureOr<ContractionPath> findContractionPath(const Product &product,
                                               Preference preference = {});

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_CONTRACTIONPATH_H
