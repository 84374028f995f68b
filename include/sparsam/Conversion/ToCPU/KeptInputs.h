// Products with patterns whose outputs come in blocks that share what they keep, tokens
// in lanes: the kernels are one for all such patterns, which differ in where they say so.
#ifndef SPARSAM_CONVERSION_TOCPU_KEPTINPUTS_H
#define SPARSAM_CONVERSION_TOCPU_KEPTINPUTS_H

#include "sparsam/Conversion/ToCPU/CpuKernels.h"

namespace mlir::sparsam {

/// A pattern as kernels read it, whose index tensors they have as one row each. Each
/// block of `vector` consecutive outputs keeps some inputs, ascending. They are numbered
/// through all blocks in storage order: kept input q has the values q * vector and
/// following. The last index tensor has an element for each run of them, in the same
/// order, which is fetched ahead.
class KeptInputs {
public:
  virtual ~KeptInputs() = default;

  /// Tells kernels apart whose arguments have the same types.
  virtual std::string getName() const = 0;
  /// The numbers of a block's kept inputs, first and end.
  virtual std::pair<Value, Value> buildSpan(ImplicitLocOpBuilder &b, ValueRange pattern,
                                            Value block) const = 0;
  /// The input that kept input `number` of `block` is. Of one of a later block, which is
  /// only fetched ahead, it may be another input, but reads nothing out of bounds.
  virtual Value buildInput(ImplicitLocOpBuilder &b, ValueRange pattern, Value block,
                           Value number) const = 0;

  /// From one kept input's values to the next's, in elements.
  virtual int64_t getValueStride() const { return vector; }
  /// Where the values of kept input `number` of `block` start.
  virtual Value buildValues(ImplicitLocOpBuilder &b, Value block, Value number) const;

  int64_t inputs, blocks, vector;
  /// Kept inputs of a block, on average.
  int64_t kept;
  /// Whether some blocks may keep more than others.
  bool ragged = false;
  /// Consecutive inputs that kernels do not tear apart; it divides `inputs`.
  int64_t unit = 1;
  /// Each block's kept inputs come in runs of so many consecutive ones.
  int64_t run = 1;
  /// Kept inputs of each unit of each block, where that is one number.
  std::optional<int64_t> keptOfUnit = std::nullopt;
};

/// Lowers a product whose storage is `values`, all of them in the order of the kept
/// inputs, and the pattern.
void lowerSpmmOfKept(RewriterBase &rewriter, SpmmOp op, const KeptInputs &pattern,
                     KernelLibrary &library);
void lowerSddmmOfKept(RewriterBase &rewriter, SddmmOp op, const KeptInputs &pattern,
                      KernelLibrary &library);

/// What the kernel of a product with the pattern can be cut into.
TileSpace getTileSpaceOfKept(Operation *op, const KeptInputs &pattern,
                             const CpuTarget &target, const KernelTiles &given);

/// The kernels of a structure whose pattern reads as a `PatternT`, which is made of the
/// attribute and the type of the matrix.
template <typename StructureT, typename PatternT>
struct KernelsOfKept
    : CpuKernelInterface::ExternalModel<KernelsOfKept<StructureT, PatternT>, StructureT> {
  LogicalResult lowerSpmm(Attribute attr, RewriterBase &rewriter, SpmmOp op,
                          KernelLibrary &library) const {
    PatternT pattern(cast<StructureT>(attr), op.getMatrixType());
    lowerSpmmOfKept(rewriter, op, pattern, library);
    return success();
  }
  LogicalResult lowerSddmm(Attribute attr, RewriterBase &rewriter, SddmmOp op,
                           KernelLibrary &library) const {
    PatternT pattern(cast<StructureT>(attr), op.getMatrixType());
    lowerSddmmOfKept(rewriter, op, pattern, library);
    return success();
  }
  FailureOr<TileSpace> getTileSpace(Attribute attr, Operation *op,
                                    const CpuTarget &target,
                                    const KernelTiles &given) const {
    auto spmm = dyn_cast<SpmmOp>(op);
    PatternT pattern(cast<StructureT>(attr),
                     spmm ? spmm.getMatrixType() : cast<SddmmOp>(op).getMatrixType());
    return getTileSpaceOfKept(op, pattern, target, given);
  }
};

/// Reads element `position` of an index tensor, unsigned.
Value buildIndexLoad(ImplicitLocOpBuilder &b, Value indices, ValueRange position);

} // namespace mlir::sparsam

#endif // SPARSAM_CONVERSION_TOCPU_KEPTINPUTS_H
