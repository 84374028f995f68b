// Products as rule 7 merges them, and what it recognises in front of them.
#ifndef SPARSAM_LIB_TRANSFORMS_MERGEDPRODUCT_H
#define SPARSAM_LIB_TRANSFORMS_MERGEDPRODUCT_H

#include "sparsam/Analysis/Product.h"
#include "sparsam/IR/SparsamOps.h"

namespace mlir::sparsam {

/// A product that remembers what its terms came from.
struct Merged {
  Product product;
  /// For each term the tensor of the source that it is a part of, -1 for none.
  SmallVector<int> origin;
  /// What to call each of those in a remark.
  SmallVector<StringRef> names;
  bool negated = false;

  explicit Merged(Product p) : product(std::move(p)), origin(product.terms.size(), -1) {
    product.absorbViews();
  }
  /// Reads through the views of those terms alone for whose values `absorbs` holds.
  Merged(Product p, function_ref<bool(Value)> absorbs);

  /// Puts the product that makes a term's value in the term's place. A name starts a
  /// new origin, without one the terms have that of the term they replace.
  LogicalResult inlineTerm(unsigned term, const Product &inner, StringRef name);
};

/// Whether `op`, which computes `product`, is a contraction: it sums, be it over a single
/// entry, as a product with one column or one row of a batch does, or is an outer
/// product.
bool isContraction(Operation *op, const Product &product);

/// The product that a linalg op computes that is neither a copy nor a contraction.
FailureOr<Product> getElementwiseProduct(Operation *op);

enum class Linear { None, Add, Sub, Neg };

/// Whether `op` yields a + b, a - b or -a, with all operands in the result's shape.
Linear matchLinear(Operation *op);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_MERGEDPRODUCT_H
