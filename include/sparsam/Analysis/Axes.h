// Axes: what the dimensions of tensors are made of, and which are the same.
#ifndef SPARSAM_ANALYSIS_AXES_H
#define SPARSAM_ANALYSIS_AXES_H

#include "sparsam/IR/Structure.h"

namespace mlir::sparsam {

/// A number for an axis of some size. Axes that were found to be the same have
/// different numbers and one `Axes::find`.
using Axis = unsigned;

/// Axes, which of them are the same, and of what they are made: a dimension that is
/// reshaped is a product of axes, outermost first, one that is sliced or concatenated is
/// one after the other. What is made of nothing is a *leaf*. Making two axes the same
/// cuts both at the places at which either is cut.
class Axes {
public:
  enum class Kind { Leaf, Product, Concatenation };

  /// Why entries of an axis cannot be left out, and where.
  struct Obstacle {
    Location loc;
    std::string reason;
  };

  Axis make(int64_t size);
  /// Axes of size 1 take no part.
  Axis makeProduct(ArrayRef<Axis> parts);
  Axis makeConcatenation(ArrayRef<Axis> parts);

  /// Makes two axes of one size the same.
  void unify(Axis a, Axis b, Location loc);
  /// The part of an axis from `offset` on.
  Axis getSegment(Axis axis, int64_t offset, int64_t size, Location loc);
  /// The part of an axis that is `segment.size` of outer x size x inner.
  Axis getFactor(Axis axis, const AxisSegment &segment, Location loc);
  /// Records of all leaves of an axis that their entries cannot be left out. The first
  /// reason stays.
  void block(Axis axis, Location loc, const Twine &reason);

  Axis find(Axis axis) const;
  int64_t getSize(Axis axis) const { return nodes[find(axis)].size; }
  Kind getKind(Axis axis) const { return nodes[find(axis)].kind; }
  bool isLeaf(Axis axis) const { return getKind(axis) == Kind::Leaf; }
  /// Whether an axis of several entries is nothing but single ones, one after the other.
  bool isCut(Axis axis) const;
  ArrayRef<Axis> getParts(Axis axis) const { return nodes[find(axis)].parts; }
  /// Null where nothing is in the way; of a leaf.
  const Obstacle *getObstacle(Axis leaf) const;

  /// A leaf where it occurs in an axis.
  struct Occurrence {
    Axis leaf;
    AxisSegment segment;
  };
  /// In the order of their offsets; what adjoins is one segment.
  SmallVector<Occurrence> getOccurrences(Axis axis) const;
  /// The leaves of an axis, each once, in the order of their first occurrence.
  SmallVector<Axis> getLeaves(Axis axis) const;

  /// The size of an axis whose leaves have the sizes that `sizeOf` says.
  int64_t evaluate(Axis axis, function_ref<int64_t(Axis)> sizeOf) const;
  /// Where what is at `offset` of an axis is then; `offset` is where a part starts.
  int64_t evaluateOffset(Axis axis, int64_t offset,
                         function_ref<int64_t(Axis)> sizeOf) const;

private:
  struct Node {
    int64_t size;
    Axis parent;
    Kind kind = Kind::Leaf;
    SmallVector<Axis, 3> parts;
    std::optional<Obstacle> obstacle;
  };

  void replace(Axis axis, Axis by);
  void refine(Axis leaf, Kind kind, ArrayRef<Axis> parts);
  void cutAt(Axis concatenation, int64_t place, Location loc);
  void cutProduct(SmallVector<Axis> &parts, ArrayRef<int64_t> sizes, Location loc);
  void unifyProducts(Axis a, Axis b, Location loc);
  void unifyConcatenations(Axis a, Axis b, Location loc);
  void distribute(Axis product, Axis concatenation, Location loc);
  SmallVector<Axis> flatten(Axis axis) const;
  int64_t getInnerSize(Axis product) const;

  SmallVector<Node, 0> nodes;
};

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_AXES_H
