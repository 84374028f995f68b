// linalg on memrefs becomes loops that LLVM vectorises along contiguous memory.

#include "Buffers.h"
#include "LoopEmitter.h"
#include "MergeLoops.h"
#include "TensorOps.h"

#include "sparsam/Conversion/Passes.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_GENERICSTOLOOPSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Elements of the innermost dimension that one parallel block takes.
constexpr int64_t elementwiseBlock = 4096;
/// Columns that one part of a column reduction takes: reading a matrix in narrower
/// stripes is slow, and results of more columns leave the nearest cache.
constexpr int64_t columnBlock = 512, columnBlockOfPiece = 4096;
/// Parallel pieces below which a large reduction is split along itself, and the pieces
/// that it is split into then. Fixed, so that results do not depend on the threads.
constexpr int64_t fewPieces = 8;
constexpr int64_t partialPieces = 32;
/// Results above which the partial ones would take more memory than they are worth.
constexpr int64_t largestPartial = 65536;

SmallVector<unsigned> without(ArrayRef<unsigned> dims, unsigned dim) {
  SmallVector<unsigned> rest;
  llvm::copy_if(dims, std::back_inserter(rest),
                [&](unsigned other) { return other != dim; });
  return rest;
}

int64_t getIterations(const LoopEmitter &emitter, ArrayRef<unsigned> dims) {
  int64_t count = 1;
  for (unsigned dim : dims)
    count *= emitter.sizes[dim];
  return count;
}

/// [block * width, min((block + 1) * width, size)) of `dim`.
void setBlockRange(LoopEmitter &emitter, OpBuilder &builder, unsigned dim, Value block,
                   int64_t width) {
  Location loc = emitter.loc;
  int64_t size = emitter.sizes[dim];
  Value lower =
      arith::MulIOp::create(builder, loc, block, emitter.getIndex(builder, width));
  Value upper =
      arith::AddIOp::create(builder, loc, lower, emitter.getIndex(builder, width));
  if (size % width != 0)
    upper = arith::MinSIOp::create(builder, loc, upper, emitter.getIndex(builder, size));
  emitter.setRange(dim, lower, upper);
}

//===----------------------------------------------------------------------===//
// Without reductions
//===----------------------------------------------------------------------===//

void lowerElementwise(LoopEmitter &emitter, OpBuilder &builder) {
  auto body = [&](OpBuilder &inside) {
    emitter.emitStoreResults(inside, emitter.emitPayload(inside));
  };
  if (emitter.sizes.empty())
    return body(builder);
  unsigned inner = emitter.inner;
  SmallVector<unsigned> outer = without(emitter.parallelDims, inner);
  bool fewRows = getIterations(emitter, outer) < fewPieces;
  if (!emitter.useThreads() || !fewRows || emitter.sizes[inner] <= elementwiseBlock)
    return emitter.emitParallel(
        builder, outer, [&](OpBuilder &inside) { emitter.emitFor(inside, inner, body); });
  int64_t blocks = llvm::divideCeil(emitter.sizes[inner], elementwiseBlock);
  emitter.emitParallelBlocks(builder, blocks, [&](OpBuilder &inside, Value block) {
    setBlockRange(emitter, inside, inner, block, elementwiseBlock);
    SmallVector<unsigned> dims = outer;
    dims.push_back(inner);
    emitter.emitFor(inside, dims, body);
  });
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// The operation that joins two partial results of `result`, or null where the region
/// is no such reduction.
Operation *getCombiner(linalg::GenericOp op, unsigned result) {
  SmallVector<Operation *> combiners;
  if (!matchReduction(op.getRegionOutputArgs(), result, combiners) ||
      combiners.size() != 1)
    return nullptr;
  Operation *combiner = combiners.front();
  // Joining two partial results with it must mean the same as joining an element.
  if (!arith::getNeutralElement(combiner) || combiner->getNumOperands() != 2)
    return nullptr;
  return combiner;
}

/// The reduction runs innermost, over contiguous memory, into registers.
void lowerRowReduction(LoopEmitter &emitter, OpBuilder &builder) {
  SmallVector<unsigned> reductions = without(emitter.reductionDims, emitter.inner);
  reductions.push_back(emitter.inner);
  emitter.emitParallel(builder, emitter.parallelDims, [&](OpBuilder &inside) {
    SmallVector<Value> sums =
        emitter.emitForCarrying(inside, reductions, emitter.emitLoadResults(inside),
                                [&](OpBuilder &innermost, ArrayRef<Value> carried) {
                                  return emitter.emitPayload(innermost, carried);
                                });
    emitter.emitStoreResults(inside, sums);
  });
}

/// The width of the blocks of `size` columns: one that leaves no remainder where there
/// is one of at least a quarter of `largest`.
int64_t getColumnBlock(int64_t size, int64_t largest) {
  if (size <= largest)
    return size;
  for (int64_t width = largest; width >= largest / 4; width -= 16)
    if (size % width == 0)
      return width;
  return largest;
}

/// A parallel dimension runs innermost; a block of its columns is summed at a time, so
/// that the block's results stay in the nearest cache.
void lowerColumnReduction(LoopEmitter &emitter, OpBuilder &builder,
                          int64_t largestBlock) {
  unsigned inner = emitter.inner;
  SmallVector<unsigned> outer = without(emitter.parallelDims, inner);
  SmallVector<unsigned> tile = emitter.reductionDims;
  tile.push_back(inner);
  int64_t width = getColumnBlock(emitter.sizes[inner], largestBlock);
  int64_t blocks = llvm::divideCeil(emitter.sizes[inner], width);
  auto sumTile = [&](OpBuilder &inside) {
    emitter.emitFor(inside, tile, [&](OpBuilder &innermost) {
      emitter.emitStoreResults(innermost, emitter.emitPayload(innermost));
    });
  };
  if (emitter.useThreads() && getIterations(emitter, outer) < fewPieces)
    return emitter.emitParallelBlocks(
        builder, blocks, [&](OpBuilder &inside, Value block) {
          setBlockRange(emitter, inside, inner, block, width);
          emitter.emitFor(inside, outer, sumTile);
        });
  emitter.emitParallel(builder, outer, [&](OpBuilder &inside) {
    if (blocks == 1)
      return sumTile(inside);
    emitter.emitForBlocks(inside, blocks, {},
                          [&](OpBuilder &body, Value block, ValueRange) {
                            setBlockRange(emitter, body, inner, block, width);
                            sumTile(body);
                            return SmallVector<Value>();
                          });
  });
}

/// Where too little else is parallel, the longest reduced dimension is cut into pieces;
/// each piece is reduced for itself, and the pieces are then joined in order.
void lowerSplitReduction(LoopEmitter &emitter, OpBuilder &builder,
                         ArrayRef<Operation *> combiners) {
  Location loc = emitter.loc;
  unsigned dim =
      *llvm::max_element(emitter.reductionDims, [&](unsigned left, unsigned right) {
        return emitter.sizes[left] < emitter.sizes[right];
      });
  int64_t size = emitter.sizes[dim];
  int64_t width = llvm::divideCeil(size, partialPieces);
  int64_t pieces = llvm::divideCeil(size, width);

  SmallVector<Value> partials, neutral;
  for (auto [init, combiner] : llvm::zip_equal(emitter.op.getDpsInits(), combiners)) {
    auto type = cast<MemRefType>(init.getType());
    SmallVector<int64_t> shape{pieces};
    llvm::append_range(shape, type.getShape());
    partials.push_back(memref::AllocOp::create(
        builder, loc, MemRefType::get(shape, type.getElementType())));
    neutral.push_back(
        arith::ConstantOp::create(builder, loc, *arith::getNeutralElement(combiner)));
  }
  emitter.emitParallelBlocks(builder, pieces, [&](OpBuilder &inside, Value piece) {
    LoopEmitter::Piece scope(emitter);
    emitter.redirectResults(partials, piece);
    emitter.emitFor(inside, emitter.parallelDims, [&](OpBuilder &innermost) {
      emitter.emitStoreResults(innermost, neutral);
    });
    setBlockRange(emitter, inside, dim, piece, width);
    if (emitter.isReduction(emitter.inner))
      lowerRowReduction(emitter, inside);
    else
      lowerColumnReduction(emitter, inside, columnBlockOfPiece);
  });
  auto join = [&](OpBuilder &inside, Value piece) {
    emitter.redirectResults(partials, piece);
    SmallVector<Value> values = emitter.emitLoadResults(inside);
    emitter.restoreResults();
    SmallVector<Value> joined = emitter.emitLoadResults(inside);
    for (auto [result, value, combiner] : llvm::zip_equal(joined, values, combiners)) {
      IRMapping mapping;
      mapping.map(combiner->getOperand(0), result);
      mapping.map(combiner->getOperand(1), value);
      result = inside.clone(*combiner, mapping)->getResult(0);
    }
    emitter.emitStoreResults(inside, joined);
  };
  emitter.restoreResults();
  emitter.emitForBlocks(
      builder, pieces, {}, [&](OpBuilder &body, Value piece, ValueRange) {
        emitter.emitFor(body, emitter.parallelDims,
                        [&](OpBuilder &inside) { join(inside, piece); });
        return SmallVector<Value>();
      });
}

/// Whether cutting the reduction into pieces beats running its results in parallel.
bool isWorthSplitting(LoopEmitter &emitter) {
  if (!emitter.useThreads())
    return false;
  int64_t results = getIterations(emitter, emitter.parallelDims);
  if (emitter.isReduction(emitter.inner))
    return results < fewPieces / 2;
  // Column blocks are parallel too, but read the matrix in stripes.
  int64_t longest = 0;
  for (unsigned dim : emitter.reductionDims)
    longest = std::max(longest, emitter.sizes[dim]);
  return results / emitter.sizes[emitter.inner] < fewPieces &&
         results <= largestPartial && longest >= 2 * partialPieces;
}

void lowerReduction(LoopEmitter &emitter, OpBuilder &builder) {
  linalg::GenericOp op = emitter.op;
  // A destination that a reduced dimension indexes too is written at every step.
  bool inRegisters = llvm::all_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
    return llvm::none_of(emitter.reductionDims, [&](unsigned dim) {
      return op.getMatchingIndexingMap(&init).isFunctionOfDim(dim);
    });
  });
  if (!inRegisters)
    return emitter.emitParallel(builder, emitter.parallelDims, [&](OpBuilder &inside) {
      emitter.emitFor(inside, emitter.reductionDims, [&](OpBuilder &innermost) {
        emitter.emitStoreResults(innermost, emitter.emitPayload(innermost));
      });
    });

  if (isWorthSplitting(emitter)) {
    SmallVector<Operation *> combiners;
    for (unsigned result = 0; result < op.getNumDpsInits(); ++result)
      combiners.push_back(getCombiner(op, result));
    if (!llvm::is_contained(combiners, nullptr))
      return lowerSplitReduction(emitter, builder, combiners);
    op.emitRemark("this reduction runs on few threads: its region joins more than one "
                  "operation, so that partial results cannot be joined");
  }
  if (emitter.isReduction(emitter.inner))
    lowerRowReduction(emitter, builder);
  else
    lowerColumnReduction(emitter, builder, columnBlock);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

linalg::GenericOp mergeAllLoops(IRRewriter &rewriter, linalg::GenericOp op) {
  SmallVector<ReassociationIndices> groups;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim) {
    if (dim == 0 || !areMergeable(op, dim - 1))
      groups.emplace_back();
    groups.back().push_back(dim);
  }
  return mergeLoops(rewriter, op, groups);
}

struct GenericsToLoopsPass : sparsam::impl::GenericsToLoopsPassBase<GenericsToLoopsPass> {
  using GenericsToLoopsPassBase::GenericsToLoopsPassBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<linalg::LinalgOp, memref::CopyOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      if (failed(lower(rewriter, op)))
        return signalPassFailure();
  }

  LogicalResult lower(IRRewriter &rewriter, Operation *op) {
    rewriter.setInsertionPoint(op);
    if (auto copy = dyn_cast<memref::CopyOp>(op)) {
      auto linalgCopy = linalg::CopyOp::create(rewriter, op->getLoc(), copy.getSource(),
                                               copy.getTarget());
      rewriter.eraseOp(op);
      op = linalgCopy;
    }
    auto linalgOp = cast<linalg::LinalgOp>(op);
    if (op->hasAttr(cpu::kOverwriteAttr))
      return op->emitOpError() << "has " << cpu::kOverwriteAttr
                               << ", and loops add to what its destination holds; "
                                  "expected sparsam-lower-dense-products to run first";
    for (Value operand : op->getOperands())
      if (isa<ShapedType>(operand.getType()) && !getStridedLayout(operand.getType()))
        return op->emitOpError() << "has an operand of type " << operand.getType()
                                 << "; expected memrefs of static shape and strides";
    FailureOr<linalg::GenericOp> generic =
        isa<linalg::GenericOp>(op) ? cast<linalg::GenericOp>(op)
                                   : linalg::generalizeNamedOp(rewriter, linalgOp);
    if (failed(generic))
      return op->emitOpError("cannot be written as linalg.generic");
    LoopEmitter emitter(mergeAllLoops(rewriter, *generic));
    rewriter.setInsertionPoint(emitter.op);
    if (emitter.reductionDims.empty())
      lowerElementwise(emitter, rewriter);
    else
      lowerReduction(emitter, rewriter);
    rewriter.eraseOp(emitter.op);
    ++lowered;
    return success();
  }
};

} // namespace
