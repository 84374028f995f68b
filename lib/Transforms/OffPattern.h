// What elementwise work yields where nothing is stored.
#ifndef SPARSAM_LIB_TRANSFORMS_OFFPATTERN_H
#define SPARSAM_LIB_TRANSFORMS_OFFPATTERN_H

#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Transforms/Algebra.h"

namespace mlir::sparsam {

/// What is known of a value at every place off a pattern.
struct OffPattern {
  /// The element, where it is a known constant; null otherwise.
  TypedAttr constant;
  /// True where the element is the same everywhere off the pattern: it depends on
  /// densified values and on scalars alone.
  bool isUniform = false;

  bool isZero() const;
};

/// Evaluates elementwise work off one pattern, where densified values are zero.
///
/// Arithmetic is that of real numbers in one respect: 0 * x and 0 / x count as 0, so
/// an infinity or a NaN in x (or x = 0 in the quotient) is not carried to places
/// where nothing is stored. The structured step has no such places.
class OffPatternAnalysis {
public:
  explicit OffPatternAnalysis(const StoredPattern &pattern) : pattern(pattern) {}

  OffPattern evaluate(Value tensor);
  /// The value that `op`'s body yields, or any value of that body.
  static OffPattern evaluateBody(linalg::LinalgOp op, ArrayRef<OffPattern> arguments,
                                 Value result);

private:
  const StoredPattern &pattern;
  DenseMap<Value, OffPattern> known;
};

/// The pattern of some densified value that elementwise work makes `value` from.
std::optional<StoredPattern> findPattern(Value value);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_OFFPATTERN_H
