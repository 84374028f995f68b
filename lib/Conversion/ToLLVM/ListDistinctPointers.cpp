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
    SmallVector<int64_t> pointers;
    int64_t position = 0;
    for (BlockArgument argument : function.getArguments()) {
      auto memref = dyn_cast<MemRefType>(argument.getType());
      if (!memref) {
        ++position;
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
