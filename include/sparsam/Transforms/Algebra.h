// The rules of the algebra as rewrite patterns. `sparsam-propagate` runs them all.
#ifndef SPARSAM_TRANSFORMS_ALGEBRA_H
#define SPARSAM_TRANSFORMS_ALGEBRA_H

#include "mlir/IR/PatternMatch.h"
#include "sparsam/IR/SparsamOps.h"

namespace mlir::sparsam {

/// Rules 2, 3 and, for patterns, 10 (rule 1 is a fold): `restrict` moves up and `densify`
/// down through elementwise work, transposing copies and reshapes, slices of layers and
/// values that loops carry, and full reductions run on storage.
///
/// Both ops then occur under views that are not the parameter's own: the restriction
/// of a transposed product, for one, becomes the restriction of the product with
/// `in = [1]`.
void populateStorageElementwisePatterns(RewritePatternSet &patterns);

/// A place to keep what is stored: a pattern structure and its index tensors.
/// Equal SSA values are equal patterns.
struct StoredPattern {
  StructureInterface structure;
  SmallVector<Value> indices;

  bool operator==(const StoredPattern &other) const {
    return structure == other.structure && indices == other.indices;
  }
};

/// The pattern that a densify spreads its values over, and these values; null for
/// factor structures.
std::optional<StoredPattern> getPattern(DensifyOp densify);
Value getStoredValues(DensifyOp densify);

/// `restrict source on pattern`: one that is there already or a new one, in front of
/// the builder's insertion point in any case.
RestrictOp getOrCreateRestrict(RewriterBase &rewriter, Location loc, Value source,
                               const StoredPattern &pattern);

/// `densify values, pattern` of `type`.
DensifyOp createDensify(OpBuilder &builder, Location loc, Value values,
                        const StoredPattern &pattern, RankedTensorType type);

} // namespace mlir::sparsam

#endif // SPARSAM_TRANSFORMS_ALGEBRA_H
