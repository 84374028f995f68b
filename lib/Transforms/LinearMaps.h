// What the algebra does to a gradient, as maps that move into loops.
//
// restrict, an einsum with values that do not change, and changes of layout are linear in
// the gradient and take it a layer at a time. So they change places with what loops over
// layers or over parts of a batch do to it: they insert layers and add up.
#ifndef SPARSAM_LIB_TRANSFORMS_LINEARMAPS_H
#define SPARSAM_LIB_TRANSFORMS_LINEARMAPS_H

#include "Layers.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Analysis/Views.h"
#include "sparsam/Transforms/Algebra.h"

namespace mlir::sparsam {

/// A value, or layers of layers of it that are made where they are needed.
struct SlicedValue {
  Value value;
  SmallVector<Layers> slices;

  SlicedValue at(const Layers &layers) const;
  bool isConstant() const { return matchPattern(value, m_Constant()); }
  Value create(OpBuilder &builder, Location loc) const;
};

class LinearMap {
public:
  virtual ~LinearMap() = default;

  /// The map of `value`, made at the insertion point.
  virtual Value apply(RewriterBase &rewriter, Location loc, Value value) const = 0;

  /// The map of a value with equal elements, where it has too; null otherwise.
  virtual Value applyToUniform(RewriterBase &rewriter, Value value) const = 0;

  /// Whether map(f(a, b)) = f(map a, map b) for elementwise work f.
  virtual bool movesThrough(const ElementwiseOp &elementwise) const = 0;

  /// The map of a run of layers, and which layers of the result it makes; null where the
  /// map mixes them.
  struct OfLayers {
    std::unique_ptr<LinearMap> map;
    Layers layers;
  };
  virtual OfLayers at(const Layers &layers) const = 0;

  /// The values that the map takes besides.
  virtual SmallVector<SlicedValue> getOperands() const = 0;
};

/// restrict on a pattern, of a source of `shape`.
std::unique_ptr<LinearMap> createRestrictMap(const StoredPattern &pattern,
                                             ArrayRef<int64_t> shape);

/// `op` in its operand `operand`.
std::unique_ptr<LinearMap> createEinsumMap(EinsumOp op, unsigned operand);

/// For each dimension of the source the one of the result that it is alone, other
/// dimensions of size 1 aside, or -1.
SmallVector<int64_t> getDimensionsAlone(const LayoutChange &change);

std::unique_ptr<LinearMap> createLayoutMap(const LayoutChange &change);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_LINEARMAPS_H
