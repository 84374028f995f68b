// What a step does to the parts of a gradient before it sums them.
//
// A loop over microbatches, or one backward pass for each example, makes a gradient in
// parts. Structures take the sum for the gradient, which is right as long as nothing
// nonlinear happens to the parts: a norm of one of them is not that of the stored
// entries.
#ifndef SPARSAM_ANALYSIS_GRADIENTPARTS_H
#define SPARSAM_ANALYSIS_GRADIENTPARTS_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/SparseBitVector.h"

namespace mlir {
class Operation;
namespace linalg {
class LinalgOp;
} // namespace linalg
} // namespace mlir

namespace mlir::sparsam {

enum class PartsWork {
  /// Parts are added, scaled and rearranged, all of which is linear.
  Linear,
  /// Entries are worked on one by one, as a sign or a clip does.
  Elementwise,
  /// What is computed from several entries of a part, as a norm, enters the others.
  Spread,
};

/// Writes gradients as sums of terms, in the products (x'dy) they are made of without
/// another product between. Work on a gradient is linear where each term is linear in one
/// product at least: p (dp - sum(dp p)) is in dp, though not in the scores that p is the
/// softmax of, while g / |g| is in nothing. What enters as a scalar only, as the loss
/// that scales a term of W itself, is no part of a gradient.
///
/// Of vectors nothing is known: the gradient of the last bias is the nonlinear seed of
/// the backward pass itself. Nor can linear work that mixes entries, as subtracting the
/// mean of a row, be told from a backward pass, nor a product of a part with something
/// else; these are `Linear`.
class GradientParts {
public:
  explicit GradientParts(ArrayRef<Value> gradients);

  PartsWork classify(Value gradient);

  /// Whether any of `values`, which enter several entries of an update, is computed from
  /// the parts of `gradient` in another way than through one of the gradients.
  bool isAnyMadeOfParts(ArrayRef<Value> values, Value gradient);

private:
  /// Of a sum of more, one term stands for all.
  static constexpr size_t maxTerms = 16;
  /// Of what is deeper nothing is known.
  static constexpr unsigned maxDepth = 1000;

  /// Of numbered products.
  using Set = llvm::SparseBitVector<>;
  struct Term {
    /// What it is linear in, and what it is not. Of `direct` an entry enters one place of
    /// the term, of `spread` several.
    Set linear, nonlinear, direct, spread;

    Set getAll() const { return linear | nonlinear; }
    void unite(const Term &other);
    bool operator==(const Term &other) const {
      return linear == other.linear && nonlinear == other.nonlinear &&
             direct == other.direct && spread == other.spread;
    }
  };
  /// None is zero, and a term of no product a constant. At most one is linear in nothing.
  using Sum = SmallVector<Term, 1>;

  Sum get(Value value);
  Sum computeCarried(BlockArgument argument);
  Sum computeResult(OpResult result);
  Sum computeLinalg(linalg::LinalgOp op, unsigned result);
  Sum computeContraction(Operation *op, Value result);
  Sum createProduct(Value value);
  Sum addAll(ValueRange values);
  /// What decides on a value: a condition, the number of iterations, a place.
  Sum getControl(ValueRange values);

  static Sum computeScalar(Operation *op, ArrayRef<Sum> operands);
  static void addTerm(Sum &sum, Term term);
  static Sum add(Sum lhs, const Sum &rhs);
  static Sum multiply(const Sum &lhs, const Sum &rhs);
  /// One term that is nonlinear in all that `sum` is made of.
  static Sum mix(const Sum &sum);
  static Sum spread(Sum sum);
  static Set getAll(const Sum &sum);

  llvm::DenseMap<Value, Sum> known;
  /// The same where gradients are constants: what is made of parts beside them.
  llvm::DenseMap<Value, Sum> beside;
  /// What was found of values before what loops carry was known.
  llvm::DenseMap<Value, Sum> assumed;
  llvm::DenseMap<Value, unsigned> products;
  /// By number.
  SmallVector<int64_t> entries;
  unsigned depth = 0;
  /// Whether a loop carries something of what is known.
  bool isCarried = false;
};

/// The loop or branch that updates `parameter`, where `value` is the parameter behind it
/// or the sum of its updates there, and so not its gradient; null where it is not.
Operation *getUpdateAround(Value value, Value parameter);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_GRADIENTPARTS_H
