// Every result gets the buffer it will be in before anything is bufferized.
#include "Destinations.h"
#include "TensorOps.h"
#include "mlir/IR/Iterators.h"
#include "sparsam/Conversion/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_SETDESTINATIONSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;
using linalg::GenericOp;

namespace {

struct SetDestinationsPass : sparsam::impl::SetDestinationsPassBase<SetDestinationsPass> {
  using SetDestinationsPassBase::SetDestinationsPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isDeclaration() || !function.getBody().hasOneBlock())
      return;
    cpu::Destinations destinations(function);
    destinations.giveOwn();
    int64_t donated = 0, missed = 0;
    destinations.donate(donated, missed);
    numDonated += donated;
    numMissed += missed;
    eraseUnused(function);
  }

  /// Destinations that nothing uses any more, and operands that are read in place.
  void eraseUnused(func::FuncOp function) {
    IRRewriter rewriter(&getContext());
    SmallVector<GenericOp> generics;
    function.walk([&](GenericOp op) { generics.push_back(op); });
    for (GenericOp op : generics)
      eraseUnusedInputs(rewriter, op);
    function.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
      if (isa<tensor::EmptyOp, linalg::FillOp, arith::ConstantOp>(op) ||
          cpu::isReshape(op))
        if (isOpTriviallyDead(op))
          rewriter.eraseOp(op);
    });
  }

  static void eraseUnusedInputs(IRRewriter &rewriter, GenericOp op) {
    SmallVector<AffineMap> maps;
    SmallVector<Value> inputs;
    BitVector unused(op->getNumOperands());
    for (OpOperand &operand : op->getOpOperands()) {
      bool isInput = op.isDpsInput(&operand);
      if (isInput && op.getMatchingBlockArgument(&operand).use_empty()) {
        unused.set(operand.getOperandNumber());
        continue;
      }
      maps.push_back(op.getMatchingIndexingMap(&operand));
      if (isInput)
        inputs.push_back(operand.get());
    }
    if (unused.none() || !inversePermutation(concatAffineMaps(maps, op.getContext())))
      return;
    rewriter.modifyOpInPlace(op, [&] {
      op.getRegion().front().eraseArguments(unused);
      op.getInputsMutable().assign(inputs);
      op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    });
  }
};

} // namespace
