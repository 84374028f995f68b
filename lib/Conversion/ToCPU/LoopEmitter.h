// Emits the loops of one linalg.generic on memrefs: what every strategy shares.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_LOOPEMITTER_H
#define SPARSAM_LIB_CONVERSION_TOCPU_LOOPEMITTER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"

namespace mlir::sparsam {

/// A range of one loop dimension: from `lower`, `size` steps or up to `upper`.
struct LoopRange {
  OpFoldResult lower, upper;
};

class LoopEmitter {
public:
  using Body = function_ref<void(OpBuilder &)>;

  explicit LoopEmitter(linalg::GenericOp op);

  linalg::GenericOp op;
  Location loc;
  SmallVector<int64_t> sizes;
  SmallVector<unsigned> parallelDims, reductionDims;
  /// The dimension to run innermost: the one along which most memory is contiguous.
  unsigned inner = 0;
  /// Loop iterations, weighted by what one costs.
  int64_t work = 1;

  bool isReduction(unsigned dim) const;

  /// Whether the work is worth a parallel region, outside of which we are.
  bool useThreads() const;

  /// What is emitted during its life is inside a parallel loop, and sequential; the
  /// ranges set meanwhile are only valid there.
  class Piece {
  public:
    explicit Piece(LoopEmitter &emitter) : emitter(emitter), saved(emitter.ranges) {
      emitter.insideParallel = true;
    }
    ~Piece() {
      emitter.ranges = saved;
      emitter.insideParallel = false;
    }

  private:
    LoopEmitter &emitter;
    SmallVector<LoopRange> saved;
  };

  /// Narrows the range that the following loops over `dim` run through.
  void setRange(unsigned dim, OpFoldResult lower, OpFoldResult upper);

  /// Sequential loops over `dims`, the first outermost.
  void emitFor(OpBuilder &builder, ArrayRef<unsigned> dims, Body body);

  /// Sequential loops over `dims` that carry `values`; `body` returns the next ones.
  SmallVector<Value>
  emitForCarrying(OpBuilder &builder, ArrayRef<unsigned> dims, ArrayRef<Value> values,
                  function_ref<SmallVector<Value>(OpBuilder &, ArrayRef<Value>)> body);

  /// Loops over `dims`, the outer ones parallel where the whole is worth it.
  void emitParallel(OpBuilder &builder, ArrayRef<unsigned> dims, Body body);

  /// Sequential and parallel loops over [0, count).
  SmallVector<Value> emitForBlocks(
      OpBuilder &builder, int64_t count, ArrayRef<Value> values,
      function_ref<SmallVector<Value>(OpBuilder &, Value block, ValueRange carried)>
          body);
  void emitParallelBlocks(OpBuilder &builder, int64_t count,
                          function_ref<void(OpBuilder &, Value block)> body);

  /// What the op computes at the current indices: its results, given the values that
  /// its destinations hold (loaded from memory where `accumulators` is empty).
  SmallVector<Value> emitPayload(OpBuilder &builder, ArrayRef<Value> accumulators = {});

  /// The destinations' values at the current indices.
  SmallVector<Value> emitLoadResults(OpBuilder &builder);
  void emitStoreResults(OpBuilder &builder, ArrayRef<Value> values);

  /// Lets the destinations be `partials[block]` from here on, and back.
  void redirectResults(ArrayRef<Value> partials, Value block);
  void restoreResults();

  Value getIndex(OpBuilder &builder, int64_t value);

private:
  SmallVector<Value> getIndices(OpBuilder &builder, AffineMap map);
  SmallVector<Value> getResultIndices(OpBuilder &builder, unsigned result);
  Value getBound(OpBuilder &builder, OpFoldResult bound);

  SmallVector<LoopRange> ranges;
  SmallVector<Value> variables;
  SmallVector<Value> destinations;
  Value destinationBlock;
  bool insideParallel = false;
};

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_CONVERSION_TOCPU_LOOPEMITTER_H
