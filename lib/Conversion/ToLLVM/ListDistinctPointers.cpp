#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_LISTDISTINCTPOINTERSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;

namespace {
struct ListDistinctPointersPass
    : sparsam::impl::ListDistinctPointersPassBase<ListDistinctPointersPass> {
  using ListDistinctPointersPassBase::ListDistinctPointersPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    for (auto [number, type] : llvm::enumerate(function.getArgumentTypes()))
      if (isa<TensorType>(type)) {
        function.emitOpError() << "has argument " << number << " of type " << type
                               << "; expected memrefs, as sparsam-to-cpu leaves them";
        return signalPassFailure();
      }
    // Its wrapper, whose pointers are others, would take the list over.
    if (function->hasAttr("llvm.emit_c_interface"))
      return;
    SmallVector<int64_t> pointers;
    int64_t position = 0;
    for (BlockArgument argument : function.getArguments()) {
      auto memref = dyn_cast<MemRefType>(argument.getType());
      if (!memref) {
        // A rank and a pointer, or one value.
        position += isa<UnrankedMemRefType>(argument.getType()) ? 2 : 1;
        continue;
      }
      // Allocated pointer, aligned pointer, offset, sizes, strides.
      if (function.getArgAttr(argument.getArgNumber(), "llvm.noalias"))
        pointers.push_back(position + 1);
      position += 3 + 2 * memref.getRank();
    }
    if (!pointers.empty())
      function->setAttr("sparsam.distinct",
                        DenseI64ArrayAttr::get(&getContext(), pointers));
  }
};
} // namespace
