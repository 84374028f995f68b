// Patterns of very large blocks in pieces: a kernel adds up the outputs of a block, or
// the inputs of a unit, on a thread's stack, and a piece of them fits there.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_KEPTPIECES_H
#define SPARSAM_LIB_CONVERSION_TOCPU_KEPTPIECES_H

#include "KeptProduct.h"

namespace mlir::sparsam::cpu {

/// A pattern whose blocks are taken as several of fewer outputs, which keep the same
/// inputs, and whose units are torn apart.
class KeptPieces : public KeptInputs {
public:
  /// The sizes of pieces divide those of `whole`, which has to stay.
  KeptPieces(const KeptInputs &whole, int64_t outputs, int64_t unit);

  std::string getName() const override;
  std::pair<Value, Value> buildSpan(ImplicitLocOpBuilder &b, ValueRange pattern,
                                    Value block) const override;
  Value buildInput(ImplicitLocOpBuilder &b, ValueRange pattern, Value block,
                   Value number) const override;
  int64_t getValueStride() const override { return whole.getValueStride(); }
  Value buildValues(ImplicitLocOpBuilder &b, Value block, Value number) const override;

private:
  const KeptInputs &whole;
  /// Pieces of a block.
  int64_t pieces;

  /// The block that `block` is a piece of.
  Value buildWhole(ImplicitLocOpBuilder &b, Value block) const;
};

/// The largest pieces for an spmm; none where the whole pattern does, too.
std::optional<KeptPieces> cutForStack(const KeptProduct &product, bool transposed);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_LIB_CONVERSION_TOCPU_KEPTPIECES_H
