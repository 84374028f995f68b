// The normal form of a contraction together with the views around it.
#ifndef SPARSAM_ANALYSIS_PRODUCT_H
#define SPARSAM_ANALYSIS_PRODUCT_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::sparsam {

/// An iteration dimension of a product, larger than 1.
using Letter = unsigned;
/// A tensor's dimension: the letters that it flattens, outermost first. A
/// dimension of size 1 has none, which is why unit dimensions never hurt.
using Group = SmallVector<Letter, 2>;
using Grouping = SmallVector<Group, 4>;

/// The letters of a tensor in memory order.
SmallVector<Letter> flatten(ArrayRef<Group> dims);

/// The pieces that two factorizations of one size have in common, [6, 4] and
/// [2, 12] in [2, 3, 4]; fails where they cut across each other.
FailureOr<SmallVector<int64_t>> refineSizes(ArrayRef<int64_t> lhs, ArrayRef<int64_t> rhs);

/// One operand, with each dimension's letters.
struct Term {
  Value value;
  Grouping dims;
};

/// result = the sum, over all letters that it lacks, of the product of the terms.
///
/// An einsum whose dimensions may flatten several letters, so that every transpose
/// and reshape of an operand is only another way to write its term. No letter is
/// twice in a term, and each letter of the result is in a term.
class Product {
public:
  /// What `op` computes, for `sparsam.einsum` and every `linalg` operation on
  /// tensors of static shape that multiplies and, perhaps, sums.
  static FailureOr<Product> of(Operation *op);

  /// `value` itself, one letter a dimension.
  static Product identity(Value value);

  SmallVector<Term> terms;
  Grouping result;
  /// Of each letter.
  SmallVector<int64_t> sizes;
  /// Scalars of the element type that multiply the result.
  SmallVector<Value> scalars;
  /// What the sum starts from; null for zero.
  Value init;

  /// True where nothing is summed.
  bool isElementwise() const;

  Letter addLetter(int64_t size);
  /// A dimension of this size: a new letter, or none.
  Group addDimension(int64_t size);

  int64_t getSize(ArrayRef<Letter> letters) const;
  SmallVector<int64_t> getShape(ArrayRef<Group> dims) const;

  /// Cuts `letters` into dimensions of the sizes given, splitting letters
  /// throughout the product. Fails, and changes nothing, where sizes cut across.
  FailureOr<Grouping> cut(ArrayRef<Letter> letters, ArrayRef<int64_t> dimSizes);

  /// Reads a term through the views that its value is made by, as far as they go.
  void absorbViews(unsigned term);
  /// Through one of them; false where there is none.
  bool absorbView(unsigned term);
  void absorbViews();

  /// Puts the product that makes a term's value in the term's place.
  LogicalResult inlineTerm(unsigned term, const Product &inner);

  /// Numbers the letters in use by first appearance and forgets the others.
  void renumber();

private:
  void substitute(Letter letter, ArrayRef<Letter> pieces);
};

/// True for x * y^T, though it is written as elementwise work on repeated rows and
/// columns: a contraction of length one. It is a gradient where the batch is one.
bool isOuterProduct(Operation *op);

/// True for the operations that only rearrange one tensor: transposes, permuting
/// copies, reshapes, casts between equal shapes, `sparsam.gradient`, and copies
/// that add dimensions of size 1.
bool isView(Operation *op);

/// True for a view that moves data: a transpose or a permuting copy.
bool isTransposition(Operation *op);

/// The value that `value` is a view of.
Value getViewRoot(Value value);

/// The dimension of the source that each dimension of a copy's result is, or -1
/// for one of size 1 that the copy adds. Fails for all but permuting copies,
/// `linalg.transpose` and `linalg.broadcast`; `broadcasts` admits copies that repeat.
FailureOr<SmallVector<int64_t>> matchCopy(Operation *op, bool broadcasts = false);

/// The users of `value`, seen through views.
SmallVector<Operation *> getUsersThroughViews(Value value);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_PRODUCT_H
