// Which dimensions of the tensors of a function are the same axes, and along which of
// these every entry is treated alike, so that some can be left out.
#ifndef SPARSAM_ANALYSIS_COUPLEDAXES_H
#define SPARSAM_ANALYSIS_COUPLEDAXES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Analysis/Axes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallBitVector.h"

namespace mlir::sparsam {

/// The axes of each dimension of each tensor of a function of one block.
class CoupledAxes {
public:
  /// `isFree` says of arguments that they are parameters or state of a step, whose
  /// entries may be left out. Where a value is densified or restricted under a structure
  /// with axes, these are factors of the value's own.
  CoupledAxes(func::FuncOp function, function_ref<bool(BlockArgument)> isFree);

  /// Of a value's dimensions. Where its entries are the same all along a dimension, since
  /// it was broadcast, each use has an axis of its own for it: what was made once for
  /// several readers does not couple them.
  ArrayRef<Axis> get(Value value);
  ArrayRef<Axis> get(OpOperand &use);
  ArrayRef<Axis> getLoops(linalg::LinalgOp op);
  /// Whether all entries of `value` are the same and it can be made anew at any shape.
  bool isUniform(Value value);
  /// The dimensions along which the work that makes `value` is the same at every place.
  const llvm::SmallBitVector &getRepeatedDims(Value value);

  /// Whether `use` takes all entries, removed ones too: where only results of the step
  /// come of it that are no parameter or state, as the running statistics of a batch norm
  /// do. It has axes of its own.
  bool takesAll(OpOperand &use) const { return takingAll.contains(&use); }

  /// An axis of a structure on a value.
  struct Label {
    Operation *op;
    StringAttr group;
    int64_t keep;
    Axis axis;
  };
  ArrayRef<Label> getLabels() const { return labels; }

  Axes axes;

private:
  DenseMap<unsigned, BlockArgument> getUpdated() const;
  void findTakingAll();
  void visitBlock(Block &block);
  void visit(Operation *op);
  void visitLinalg(linalg::LinalgOp op);
  void visitBody(linalg::LinalgOp op);
  void visitReductions(linalg::LinalgOp op);
  void visitReshape(Operation *op, Value collapsed, OpOperand *collapsedUse,
                    Value expanded, OpOperand *expandedUse,
                    ArrayRef<ReassociationIndices> groups);
  void visitSlice(OffsetSizeAndStrideOpInterface op, ArrayRef<Axis> whole,
                  ArrayRef<Axis> part, const llvm::SmallBitVector &dropped);
  void visitPad(tensor::PadOp op);
  void visitConcat(tensor::ConcatOp op);
  void visitLoop(scf::ForOp op);
  void visitIf(scf::IfOp op);
  void visitReturn(func::ReturnOp op);
  void visitStructured(Operation *op, ArrayRef<Axis> dims, StructureInterface structure);
  void unify(ArrayRef<Axis> a, ArrayRef<Axis> b, Location loc);
  void blockAll(Operation *op, const Twine &reason);
  void blockDims(ArrayRef<Axis> dims, Location loc, const Twine &reason);
  void makeDims(SmallVector<Axis> &dims, Type type);

  func::FuncOp function;
  function_ref<bool(BlockArgument)> isFree;
  // Stable addresses: what `get` returns stays good while others are added.
  DenseMap<Value, std::unique_ptr<SmallVector<Axis>>> ofValue;
  DenseMap<OpOperand *, std::unique_ptr<SmallVector<Axis>>> ofUse;
  DenseMap<Operation *, std::unique_ptr<SmallVector<Axis>>> ofLoops;
  llvm::DenseSet<OpOperand *> takingAll;
  DenseMap<Value, bool> uniform;
  DenseMap<Value, std::unique_ptr<llvm::SmallBitVector>> repeated;
  SmallVector<Label> labels;
};

/// The shape of what is left of a parameter of `type` under a structure with axes; that
/// of `type` under another.
FailureOr<SmallVector<int64_t>>
getKeptShape(StructureInterface structure, RankedTensorType type,
             function_ref<InFlightDiagnostic()> emitError);

/// How an op with reductions combines: the accumulator with the next term.
struct Combination {
  Operation *combiner;
  Value term;
};
/// Of each result; fails where the body does more with an accumulator.
FailureOr<SmallVector<Combination>> matchCombinations(linalg::LinalgOp op);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_COUPLEDAXES_H
