// How the storage of a pattern is a tensor of the upstream dialect sparse_tensor.
#ifndef SPARSAM_CONVERSION_TOSPARSETENSOR_SPARSEFORM_H
#define SPARSAM_CONVERSION_TOSPARSETENSOR_SPARSEFORM_H

#include "mlir/Dialect/SparseTensor/IR/SparseTensor.h"
#include "sparsam/IR/SparsamDialect.h"

namespace mlir::sparsam {

/// The K x N matrix with a sparse_tensor encoding, or its transpose.
///
/// Upstream inverts a map of levels as if dimensions that are cut into blocks came after
/// those that are not, in the type and in the loops over it; so the transpose is taken
/// where only K is cut. And it takes a dimension that is cut into one block for no
/// dimension at all, so such a one is not cut.
struct SparseForm {
  RankedTensorType type;
  bool isTransposed;
};

/// Each output stores some inputs, ascending: CSR of the transpose.
SparseForm getRows(RankedTensorType matrix, unsigned positionBits,
                   unsigned coordinateBits);

/// Each output stores `n` of every `m` consecutive inputs.
SparseForm getStructuredRows(RankedTensorType matrix, int64_t n, int64_t m,
                             unsigned coordinateBits);
/// Whether upstream has an N:M level for it.
bool isStructured(RankedTensorType matrix, int64_t m);
/// The coordinates of such a level, those in each `m`, of absolute `indices`.
Value buildRemainders(OpBuilder &builder, Location loc, Value indices, int64_t m);

/// Each `outputs` consecutive outputs store equally many dense blocks of `inputs`
/// consecutive inputs, whose outputs are innermost. `indices[N / outputs][p]` is which
/// blocks, ascending, 16 bits or 32: BSR of the transpose.
SparseForm getEqualBlocks(RankedTensorType matrix, int64_t inputs, int64_t outputs,
                          RankedTensorType indices);
/// Its positions and coordinates.
SmallVector<Value> buildEqualBlocks(OpBuilder &builder, Location loc,
                                    RankedTensorType matrix, int64_t inputs,
                                    Value indices);

/// A tensor of any number of dimensions as one of one dimension.
Value buildFlat(OpBuilder &builder, Location loc, Value tensor);

} // namespace mlir::sparsam

#include "sparsam/Conversion/ToSparseTensor/SparseTensorInterface.h.inc"

#endif // SPARSAM_CONVERSION_TOSPARSETENSOR_SPARSEFORM_H
