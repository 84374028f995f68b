// A structure's matrix view, seen through ops that only move elements.
//
// A transposing copy or a reshape of a parameter has, in many cases, the same
// matrix and therefore the same storage under another view: then densify and
// restrict may change places with it.
#ifndef SPARSAM_ANALYSIS_VIEWS_H
#define SPARSAM_ANALYSIS_VIEWS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Operation.h"
#include "sparsam/IR/Structure.h"

namespace mlir::sparsam {

/// An op that only moves elements: a transposing copy, `tensor.collapse_shape` or
/// `tensor.expand_shape`, all of static shape.
struct LayoutChange {
  Value source, result;
  /// For a copy, the source's dimension that each of the result's is.
  SmallVector<int64_t> permutation;
  /// For a reshape, the dimensions of the larger rank that each of the smaller is.
  SmallVector<SmallVector<int64_t>> groups;
  enum { Transpose, Collapse, Expand } kind;

  RankedTensorType getSourceType() const;
  RankedTensorType getResultType() const;
};

FailureOr<LayoutChange> matchLayoutChange(Operation *op);

/// The structure under which the source has the matrix that the result has under
/// `structure`; null where there is none.
StructureInterface getViewOfSource(const LayoutChange &change,
                                   StructureInterface structure);

/// The structure under which the result has the matrix that the source has under
/// `structure`; null where there is none.
StructureInterface getViewOfResult(const LayoutChange &change,
                                   StructureInterface structure);

/// `structure` with the input dimensions `in` and the stacked dimensions `stack`; inputs
/// that are the default, the first dimension that is not stacked, are left out.
StructureInterface withView(StructureInterface structure, ArrayRef<int64_t> in,
                            ArrayRef<int64_t> stack = {});

/// The K x N matrix that `value` is under `structure`, which fits it, behind the stacked
/// dimensions.
Value createMatrixOf(OpBuilder &builder, Location loc, Value value,
                     StructureInterface structure);

/// The inverse: a tensor of `type` from its matrices.
Value createFromMatrix(OpBuilder &builder, Location loc, Value matrix,
                       RankedTensorType type, StructureInterface structure);

/// A row-major reshape to `shape`, which has as many elements.
Value createReshape(OpBuilder &builder, Location loc, Value value,
                    ArrayRef<int64_t> shape);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_VIEWS_H
