#include "CarriedTensors.h"
#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_COPYCARRIEDPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::bufferization;

/// The outer loops in which something branches or loops. Of all others
/// sparsam-carry-in-place knows what they write when.
static SmallVector<Operation *> getNests(ModuleOp module) {
  SmallVector<Operation *> nests;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!getLoopBody(op))
      return WalkResult::advance();
    bool isNest = op->walk([&](Operation *inner) {
                      bool isFlat = inner == op ||
                                    !isa<scf::SCFDialect>(inner->getDialect()) ||
                                    inner->hasTrait<OpTrait::IsTerminator>();
                      return isFlat ? WalkResult::advance() : WalkResult::interrupt();
                    }).wasInterrupted();
    if (isNest)
      nests.push_back(op);
    return WalkResult::skip();
  });
  return nests;
}

static bool canBufferize(ModuleOp module) {
  OneShotBufferizationOptions options;
  options.bufferizeFunctionBoundaries = true;
  OneShotAnalysisState state(module, options);
  ScopedDiagnosticHandler quiet(module.getContext(), [](Diagnostic &) {});
  return succeeded(analyzeModuleOp(module, state));
}

/// Copies what `body` carries at its beginning, and what it yields over that at its end.
static void workOnCopies(LoopBody body) {
  Block &block = *body.yield->getBlock();
  Operation *first = &block.front();
  for (Value value : body.carried)
    if (isa<RankedTensorType>(value.getType())) {
      Value copy = copyBefore(first, value);
      value.replaceAllUsesExcept(copy, copy.getDefiningOp());
    }
  // Taken first: one may be what another one is written over.
  SmallVector<Value> yielded =
      llvm::map_to_vector(body.yield.getOperands(), [](Value value) {
        auto moved = value.getDefiningOp<MaterializeInDestinationOp>();
        return moved ? moved.getSource() : value;
      });
  for (auto [number, value, buffer] : llvm::enumerate(yielded, body.carried))
    if (isa<RankedTensorType>(buffer.getType()))
      body.yield.setOperand(number, writeBefore(body.yield, value, buffer));
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isa<MaterializeInDestinationOp>(op) && op.use_empty())
      op.erase();
}

/// Gives work that does not read what is in its destination a new one. The elimination of
/// empty tensors does not see who else reads it in another iteration.
static void separateDestinations(Operation *nest) {
  nest->walk([](linalg::LinalgOp op) {
    for (OpOperand &init : op.getDpsInitsMutable()) {
      auto type = dyn_cast<RankedTensorType>(init.get().getType());
      if (!type || op.payloadUsesValueFromOperand(&init) ||
          init.get().getDefiningOp<tensor::EmptyOp>())
        continue;
      OpBuilder builder(op);
      init.set(tensor::EmptyOp::create(builder, op.getLoc(), type.getShape(),
                                       type.getElementType()));
    }
  });
}

namespace {
struct CopyCarriedPass : sparsam::impl::CopyCarriedPassBase<CopyCarriedPass> {
  using CopyCarriedPassBase::CopyCarriedPassBase;

  void runOnOperation() override {
    SmallVector<Operation *> nests = getNests(getOperation());
    if (nests.empty() || canBufferize(getOperation()))
      return;
    llvm::for_each(nests, separateDestinations);
    if (canBufferize(getOperation()))
      return;
    for (Operation *nest : nests) {
      nest->emitRemark() << "each iteration of this loop, and of those inside it, copies "
                            "what it carries: bufferization finds no order of reads and "
                            "writes that keeps it in one place";
      nest->walk([&](Operation *op) {
        if (auto body = getLoopBody(op)) {
          ++numLoops;
          workOnCopies(*body);
        }
      });
    }
  }
};
} // namespace
