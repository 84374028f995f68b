// The intermediates that chains of products have in common.
#ifndef SPARSAM_LIB_TRANSFORMS_SHAREDPRODUCTS_H
#define SPARSAM_LIB_TRANSFORMS_SHAREDPRODUCTS_H

#include "sparsam/Analysis/ContractionPath.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::sparsam {

/// x times some of the factors serves forward and backward alike, and so does dy times
/// the others. Where several orders of a chain cost the same, the one is better whose
/// intermediates other chains have; and until they have any, one that makes no second
/// intermediate of the same x.
class SharedProducts {
public:
  explicit SharedProducts(function_ref<bool(Value)> isFactor) : isFactor(isFactor) {}

  /// The cheapest path of `product`, remembered for those that follow.
  FailureOr<ContractionPath> findPath(const Product &product);

private:
  using Factors = llvm::SmallDenseSet<Value, 4>;
  /// The terms of a set apart: one that is no factor, and the factors. A null value where
  /// there is none or are more.
  std::pair<Value, Factors> split(const Product &product, uint64_t terms) const;
  int64_t getWorth(const Product &product, uint64_t terms) const;

  function_ref<bool(Value)> isFactor;
  llvm::DenseMap<Value, SmallVector<Factors>> made;
};

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_SHAREDPRODUCTS_H
