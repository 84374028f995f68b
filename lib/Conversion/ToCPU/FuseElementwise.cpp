// Producers are computed where they are read.
#include "GenericFusion.h"
#include "Splat.h"
#include "TensorOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "sparsam/Conversion/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_FUSEELEMENTWISEPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;
using linalg::GenericOp;

namespace {

/// What it costs to compute an op's results again.
struct Cost {
  int64_t operations = 0;
  /// Divisions and calls: too slow to repeat for every reader of a broadcast.
  bool isExpensive = false;
  /// Reads at computed indices.
  bool gathers = false;
};

Cost getCost(GenericOp op) {
  Cost cost;
  op.getRegion().walk([&](Operation *nested) {
    if (isa<linalg::YieldOp, linalg::IndexOp, arith::ConstantOp>(nested))
      return;
    ++cost.operations;
    cost.isExpensive |= isa<arith::DivFOp>(nested) ||
                        (isa<math::MathDialect>(nested->getDialect()) &&
                         !isa<math::AbsFOp, math::AbsIOp, math::FmaOp>(nested)) ||
                        nested->getNumRegions() != 0;
    if (auto extract = dyn_cast<tensor::ExtractOp>(nested))
      cost.gathers |= !extract.getIndices().empty();
  });
  return cost;
}

int64_t getIterations(GenericOp op) {
  int64_t iterations = 1;
  for (int64_t range : op.getStaticLoopRanges())
    iterations = ShapedType::isDynamic(range) ? range : iterations * range;
  return iterations;
}

/// The operands that do not fit a cache much better than the results do.
int64_t countLargeInputs(GenericOp op, int64_t iterations) {
  return llvm::count_if(op.getDpsInputs(), [&](Value input) {
    auto type = dyn_cast<RankedTensorType>(input.getType());
    return type && (!type.hasStaticShape() || type.getNumElements() * 4 >= iterations);
  });
}

/// Whether every reader could compute the producer itself, so that its result need not
/// be stored.
bool canAllReadersCompute(GenericOp producer) {
  return llvm::all_of(producer->getUsers(), [](Operation *user) {
    auto generic = dyn_cast<GenericOp>(user);
    return generic && !cpu::isContraction(generic);
  });
}

/// The rule: what computes nothing is always fused. Nothing expensive and nothing long
/// moves into a larger iteration space. A result with one reader is fused; one with
/// several is computed again by each where none of them needs it in memory and doing
/// so reads no more than the result itself.
bool isWorthInlining(GenericOp producer, GenericOp consumer) {
  if (producer->getNumResults() != 1)
    return false;
  Cost cost = getCost(producer);
  if (cost.operations == 0)
    return true;
  int64_t producerIterations = getIterations(producer);
  int64_t consumerIterations = getIterations(consumer);
  if (producerIterations < 0 || consumerIterations < 0)
    return false;
  constexpr int64_t maxRepeatedOperations = 2;
  if (producerIterations < consumerIterations &&
      (cost.isExpensive || cost.gathers || cost.operations > maxRepeatedOperations))
    return false;
  if (producer->hasOneUse())
    return true;
  if (cost.gathers || producerIterations == 1 || !canAllReadersCompute(producer))
    return false;
  return countLargeInputs(producer, producerIterations) <= 1;
}

struct FuseElementwisePass : sparsam::impl::FuseElementwisePassBase<FuseElementwisePass> {
  using FuseElementwisePassBase::FuseElementwisePassBase;

  void runOnOperation() override {
    SmallVector<GenericOp> generics;
    getOperation()->walk([&](GenericOp op) {
      if (op.hasPureTensorSemantics())
        generics.push_back(op);
    });
    // In program order, so that a producer is complete before its readers take it.
    IRRewriter rewriter(&getContext());
    for (GenericOp op : generics)
      while (op && !cpu::isContraction(op))
        op = fuseProducers(rewriter, op);
  }

  /// Returns the fused op, or null where nothing was left to fuse.
  GenericOp fuseProducers(IRRewriter &rewriter, GenericOp op) {
    SetVector<Operation *> inlined;
    for (OpOperand *operand : op.getDpsInputOperands())
      if (GenericOp producer = cpu::getInlinableProducer(*operand))
        if (isWorthInlining(producer, op))
          inlined.insert(producer);
    if (inlined.empty() && llvm::none_of(op.getDpsInputs(), cpu::isSplat))
      return {};
    rewriter.setInsertionPoint(op);
    AffineMap identity = rewriter.getMultiDimIdentityMap(op.getNumLoops());
    FailureOr<GenericOp> fused =
        cpu::fuseGenerics(rewriter, cpu::FusionRoot{op, identity},
                          [&](OpOperand &operand, GenericOp producer) {
                            return operand.getOwner() == op && inlined.contains(producer);
                          });
    if (failed(fused))
      return {};
    (*fused)->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    rewriter.replaceOp(op, *fused);
    for (Operation *producer : inlined) {
      ++numFused;
      if (producer->use_empty())
        rewriter.eraseOp(producer);
    }
    return *fused;
  }
};

} // namespace
