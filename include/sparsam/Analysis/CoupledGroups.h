// Coupled groups: the axes of parameters whose entries can be left out together.
#ifndef SPARSAM_ANALYSIS_COUPLEDGROUPS_H
#define SPARSAM_ANALYSIS_COUPLEDGROUPS_H

#include "sparsam/Analysis/CoupledAxes.h"

namespace mlir::sparsam {

/// One axis of the parameters of a step.
///
/// Its name is that of the first parameter in program order that has it, and the
/// dimension: "blocks/0/fc:1". Where the dimension is more than this axis, its factors
/// follow, the axis' own in parentheses, and what part of the dimension they are:
/// "blocks/0/qkv:1[3x(12)x64]", "fused:1[0:768 as (12)x64]".
struct CoupledGroup {
  std::string name;
  Axis axis;
  int64_t size;
  /// A parameter of the group, by number, and its dimension that has the axis.
  struct Member {
    unsigned parameter;
    int64_t dim;
    /// As a group's name would be.
    std::string text;
  };
  SmallVector<Member> members;
  /// Why it cannot be sliced; none where it can.
  std::optional<Axes::Obstacle> obstacle;
  /// Whether it is a whole dimension whose entries are taken one by one, so that nothing
  /// of it is an axis.
  bool isCut = false;
};

/// The groups of a function.
class CoupledGroups {
public:
  /// `parameters` are the arguments that are parameters, and their paths.
  CoupledGroups(func::FuncOp function, ArrayRef<CoupledParameter> parameters);

  ArrayRef<CoupledGroup> get() const { return groups; }
  const CoupledGroup *find(StringRef name) const;
  /// The group of the outermost axis of a parameter's dimension, or of the dimension
  /// where it is cut; null for one of size 1.
  const CoupledGroup *find(unsigned parameter, int64_t dim);
  /// Where a parameter has the group in its rows, all of its dimensions but the last, and
  /// in its columns.
  SlicedAxis locate(const CoupledGroup &group, unsigned parameter, int64_t keep);

private:
  SmallVector<CoupledParameter> parameters;
  CoupledAxes analysis;
  SmallVector<CoupledGroup, 0> groups;
};

/// The parameters of `function` that are dense or only declared as structured.
SmallVector<CoupledParameter> getCoupledParameters(func::FuncOp function);

/// Blocks the axes of which the dimensions of `value` cannot lose entries: those that are
/// not in all parts of a dimension, one after the other, or twice in a product.
void blockUnevenLeaves(CoupledAxes &analysis, Value value);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_COUPLEDGROUPS_H
