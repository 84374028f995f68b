// A factor structure on a parameter: the sum of einsums that its dense tensor is.
#ifndef SPARSAM_TRANSFORMS_COMPOSITION_H
#define SPARSAM_TRANSFORMS_COMPOSITION_H

#include "sparsam/IR/SparsamOps.h"
#include "sparsam/Transforms/Algebra.h"

namespace mlir::sparsam {

/// The factors of all terms are numbered one after the other. Each is a dense tensor
/// here, with the stacked dimensions in front; where it is stored in a pattern that is
/// what its storage stands for.
class Composition {
public:
  /// Of a parameter of `type` under a factor structure. Emits an error where the
  /// structure does not say what it is made of.
  static FailureOr<Composition> get(StructureInterface structure, RankedTensorType type,
                                    function_ref<InFlightDiagnostic()> emitError);

  unsigned size() const { return factors.size(); }
  const Factor &operator[](unsigned number) const { return factors[number].factor; }

  /// The dense factors that a storage stands for.
  SmallVector<Value> createFactors(OpBuilder &builder, Location loc,
                                   ValueRange storage) const;

  /// The pattern of a factor in a storage; none where it is stored as it is.
  std::optional<StoredPattern> getPattern(unsigned number, ValueRange storage) const;

  /// The sum of the terms in the parameter's shape.
  Value createTerms(OpBuilder &builder, Location loc, ValueRange dense) const;

  /// The parameter as the model reads it.
  FailureOr<Value> createSum(OpBuilder &builder, Location loc, ValueRange dense) const;

  /// What optimizer state of the parameter, homogeneous of `degree` in its gradient, is
  /// for the factors `numbers`: the derivatives applied to it, with the factors and
  /// scales in that power.
  FailureOr<SmallVector<Value>> createProjections(OpBuilder &builder, Location loc,
                                                  ArrayRef<unsigned> numbers,
                                                  ValueRange dense, Value state,
                                                  unsigned degree) const;

  /// The adjoint of `createProjections`: the sum over the factors `numbers` of the terms
  /// with their `states` in their places.
  Value createSpread(OpBuilder &builder, Location loc, ArrayRef<unsigned> numbers,
                     ValueRange dense, ValueRange states, unsigned degree) const;

  /// The derivatives of the sum by the factors `numbers`, applied to the gradient of the
  /// parameter.
  FailureOr<SmallVector<Value>> createGradients(OpBuilder &builder, Location loc,
                                                ArrayRef<unsigned> numbers,
                                                ValueRange dense, Value gradient) const;

private:
  Value createMatrix(OpBuilder &builder, Location loc, ValueRange dense) const;
  struct Placed {
    /// With the letters of the stacked dimensions.
    Factor factor;
    unsigned term, firstTensor, numTensors;
  };
  /// A term's letters: of the stack, the rows and the columns.
  std::string getMatrixLetters(unsigned term) const;
  SmallVector<int64_t> getShape(unsigned term, StringRef letters) const;
  bool isItself(unsigned term) const;
  Value createTerm(OpBuilder &builder, Location loc, unsigned term, ValueRange dense,
                   unsigned degree = 1) const;
  FailureOr<Value> createGradient(OpBuilder &builder, Location loc, unsigned number,
                                  ValueRange dense, Value matrix,
                                  unsigned degree = 1) const;

  StructureInterface structure;
  RankedTensorType type;
  SmallVector<int64_t> matrixShape;
  std::string stack;
  SmallVector<FactorTerm> terms;
  SmallVector<Placed> factors;
  SmallVector<StorageTensor> storage;
};

/// The dense tensor of `op`, of a factor structure, by its definition.
FailureOr<Value> createDefinition(OpBuilder &builder, DensifyOp op);

} // namespace mlir::sparsam

#endif // SPARSAM_TRANSFORMS_COMPOSITION_H
