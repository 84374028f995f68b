// Contractions read and write permuted operands, so that no copy permutes them.
#include "TensorOps.h"
#include "sparsam/Conversion/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_FOLDTRANSPOSESPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;
using linalg::GenericOp;

namespace {

/// From the indices of a permuting copy's result to those of its operand.
AffineMap getPermutation(GenericOp copy) {
  SmallVector<AffineMap> maps = copy.getIndexingMapsArray();
  return maps[0].compose(inversePermutation(maps[1]));
}

/// The fill that a destination starts from, looked for through reshapes.
linalg::FillOp getFill(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto fill = dyn_cast<linalg::FillOp>(op))
      return fill;
    if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
      return {};
    value = op->getOperand(0);
  }
  return {};
}

struct FoldTransposesPass : sparsam::impl::FoldTransposesPassBase<FoldTransposesPass> {
  using FoldTransposesPassBase::FoldTransposesPassBase;

  void runOnOperation() override {
    SmallVector<GenericOp> contractions;
    getOperation()->walk([&](GenericOp op) {
      if (op.hasPureTensorSemantics() && cpu::isContraction(op))
        contractions.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (GenericOp contraction : contractions) {
      foldOperands(rewriter, contraction);
      while (GenericOp folded = foldResult(rewriter, contraction))
        contraction = folded;
    }
  }

  void foldOperands(IRRewriter &rewriter, GenericOp contraction) {
    for (OpOperand *operand : contraction.getDpsInputOperands()) {
      while (auto copy = operand->get().getDefiningOp<GenericOp>()) {
        if (!cpu::isPermutingCopy(copy))
          break;
        SmallVector<AffineMap> maps = contraction.getIndexingMapsArray();
        AffineMap &map = maps[operand->getOperandNumber()];
        map = getPermutation(copy).compose(map);
        if (!cpu::isGemm(contraction, maps))
          break;
        rewriter.modifyOpInPlace(contraction, [&] {
          operand->set(copy.getDpsInputs()[0]);
          contraction.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
        });
        if (copy->use_empty())
          rewriter.eraseOp(copy);
        ++numOperands;
      }
    }
  }

  /// Returns the contraction that replaces `contraction` and its copy, or null.
  GenericOp foldResult(IRRewriter &rewriter, GenericOp contraction) {
    if (!contraction->hasOneUse())
      return {};
    auto copy = dyn_cast<GenericOp>(*contraction->user_begin());
    linalg::FillOp fill = getFill(contraction.getDpsInits()[0]);
    if (!copy || !fill || !cpu::isPermutingCopy(copy))
      return {};
    SmallVector<AffineMap> maps = contraction.getIndexingMapsArray();
    maps[2] = inversePermutation(getPermutation(copy)).compose(maps[2]);
    if (!cpu::isGemm(contraction, maps))
      return {};
    auto type = cast<RankedTensorType>(copy->getResult(0).getType());
    Location loc = contraction.getLoc();
    rewriter.setInsertionPoint(contraction);
    Value empty =
        tensor::EmptyOp::create(rewriter, loc, type.getShape(), type.getElementType());
    Value init = linalg::FillOp::create(rewriter, loc, fill.value(), empty).getResult(0);
    auto folded =
        GenericOp::create(rewriter, loc, TypeRange(type), contraction.getDpsInputs(),
                          init, maps, contraction.getIteratorTypesArray());
    folded.getRegion().takeBody(contraction.getRegion());
    rewriter.replaceOp(copy, folded);
    rewriter.eraseOp(contraction);
    ++numResults;
    return folded;
  }
};

} // namespace
