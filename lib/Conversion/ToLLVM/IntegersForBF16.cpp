#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_INTEGERSFORBF16PASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;

namespace {

/// Whether the result depends on what number the bits of an operand are.
bool computes(Operation *op) {
  if (isa<LLVM::SelectOp, LLVM::CallOp>(op))
    return false;
  return isa<LLVM::FastmathFlagsInterface, LLVM::FPExtOp, LLVM::FPTruncOp, LLVM::FPToSIOp,
             LLVM::FPToUIOp, LLVM::SIToFPOp, LLVM::UIToFPOp>(op);
}

bool usesBF16(Operation *op) {
  auto isBF16 = [](Type type) { return getElementTypeOrSelf(type).isBF16(); };
  return llvm::any_of(op->getOperandTypes(), isBF16) ||
         llvm::any_of(op->getResultTypes(), isBF16);
}

struct IntegersForBF16Pass : sparsam::impl::IntegersForBF16PassBase<IntegersForBF16Pass> {
  using IntegersForBF16PassBase::IntegersForBF16PassBase;

  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](Operation *op) {
      if (!computes(op) || !usesBF16(op))
        return WalkResult::advance();
      op->emitOpError(
          "computes in bf16; run sparsam-expand-half before the conversion to "
          "LLVM");
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return signalPassFailure();

    Type integer = IntegerType::get(&getContext(), 16);
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](BFloat16Type) { return integer; });
    replacer.addReplacement([&](FloatAttr value) -> std::optional<Attribute> {
      if (!value.getType().isBF16())
        return std::nullopt;
      return IntegerAttr::get(integer, value.getValue().bitcastToAPInt());
    });
    replacer.addReplacement([&](DenseElementsAttr values) -> std::optional<Attribute> {
      if (!values.getElementType().isBF16())
        return std::nullopt;
      return values.bitcast(integer);
    });
    replacer.recursivelyReplaceElementsIn(getOperation(), /*replaceAttrs=*/true,
                                          /*replaceLocs=*/false, /*replaceTypes=*/true);
  }
};
} // namespace
