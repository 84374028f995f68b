#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_RESTORENOALIASPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;

namespace {
struct RestoreNoAliasPass : sparsam::impl::RestoreNoAliasPassBase<RestoreNoAliasPass> {
  using RestoreNoAliasPassBase::RestoreNoAliasPassBase;

  void runOnOperation() override {
    LLVM::LLVMFuncOp function = getOperation();
    Attribute listed = function->removeAttr("sparsam.distinct");
    if (!listed)
      return;
    auto distinct = dyn_cast<DenseI64ArrayAttr>(listed);
    if (!distinct) {
      function.emitOpError() << "expected positions as sparsam.distinct, found "
                             << listed;
      return signalPassFailure();
    }
    for (int64_t position : distinct.asArrayRef()) {
      bool isPointer = position >= 0 && position < function.getNumArguments() &&
                       isa<LLVM::LLVMPointerType>(function.getArgumentTypes()[position]);
      if (!isPointer) {
        function.emitOpError() << "lists argument " << position
                               << " as a distinct pointer, and has no pointer there";
        return signalPassFailure();
      }
      function.setArgAttr(position, LLVM::LLVMDialect::getNoAliasAttrName(),
                          UnitAttr::get(&getContext()));
    }
  }
};
} // namespace
