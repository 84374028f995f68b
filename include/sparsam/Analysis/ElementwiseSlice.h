#ifndef SPARSAM_ANALYSIS_ELEMENTWISESLICE
#define SPARSAM_ANALYSIS_ELEMENTWISESLICE

#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::sparsam {

/// What a value is computed from one entry at a time.
///
/// The walk goes back from a value through elementwise work, transposes, reshapes and
/// casts, over operands with as many entries as the value, and ends at arguments, at
/// `sparsam.gradient` and at everything else: products (outer ones too, which are written
/// as elementwise work), reductions, scatters, loops.
struct ElementwiseSlice {
  /// The values met, the root first; each before those it is computed from is not
  /// promised.
  llvm::SetVector<Value> values;
  /// Of those, the ones that the walk ends at because they are not elementwise work.
  llvm::SetVector<Value> sources;
  /// Of those, function arguments.
  llvm::SetVector<BlockArgument> arguments;
  /// Of those, results of `sparsam.gradient`.
  llvm::SetVector<Value> gradients;
  /// Operands with fewer entries that are broadcast into the work: scalars, rows.
  llvm::SetVector<Value> broadcasts;
  /// The values each value is computed from.
  llvm::DenseMap<Value, SmallVector<Value, 2>> operands;

  /// Walks back from `root`, not beyond the values in `stops`, which count as sources.
  static ElementwiseSlice of(Value root, const llvm::DenseSet<Value> &stops = {});

  bool reaches(Value value) const { return values.contains(value); }
};

/// The value that `value` is a transpose, reshape or cast of; none if it is other work.
Value getRearranged(Value value);

/// The two values whose elementwise sum `value` is, in the layout of the result.
std::optional<std::pair<Value, Value>> getSum(Value value);

/// The value of one element that `value` repeats; null where it is none.
Value getRepeatedScalar(Value value);

/// The value that `value` is the product or quotient of with a scalar, perhaps repeated,
/// or a constant; `scale` is set to the scalar, which is null for a constant.
Value getScaled(Value value, Value &scale);

/// The operations of one block that an operation depends on, itself included.
/// Computed on demand and kept; the IR must not change meanwhile.
class Dependence {
public:
  const llvm::DenseSet<Operation *> &of(Operation *op);
  /// Whether `value` is computed from the result of `op`, which is not its own.
  bool dependsOn(Value value, Operation *op);
  /// Whether `value` is computed from `source`, another one. Of a loop that carries
  /// several values this asks about one of them.
  bool dependsOnValue(Value value, Value source);
  /// The arguments of the block that `value` depends on.
  llvm::DenseSet<Value> arguments(Value value);

private:
  llvm::DenseMap<Operation *, llvm::DenseSet<Operation *>> slices;
};

/// Calls `fn` with all operands of an operation and those in its regions that are
/// defined outside of it.
void forEachUsedValue(Operation *op, llvm::function_ref<void(Value)> fn);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_ELEMENTWISESLICE
