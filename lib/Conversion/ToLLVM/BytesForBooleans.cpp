#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_BYTESFORBOOLEANSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;

namespace {
struct BytesForBooleansPass
    : sparsam::impl::BytesForBooleansPassBase<BytesForBooleansPass> {
  using BytesForBooleansPassBase::BytesForBooleansPassBase;

  void runOnOperation() override {
    Type byte = IntegerType::get(&getContext(), 8);
    OpBuilder builder(&getContext());
    getOperation()->walk([&](Operation *op) {
      if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
        Value loaded = load.getResult();
        if (!loaded.getType().isInteger(1))
          return;
        loaded.setType(byte);
        load.setAlignment(1);
        builder.setInsertionPointAfter(load);
        Value bit =
            LLVM::TruncOp::create(builder, load.getLoc(), builder.getI1Type(), loaded);
        loaded.replaceAllUsesExcept(bit, bit.getDefiningOp());
      } else if (auto store = dyn_cast<LLVM::StoreOp>(op)) {
        if (!store.getValue().getType().isInteger(1))
          return;
        builder.setInsertionPoint(store);
        Value wide =
            LLVM::ZExtOp::create(builder, store.getLoc(), byte, store.getValue());
        store.getValueMutable().assign(wide);
        store.setAlignment(1);
      } else if (auto element = dyn_cast<LLVM::GEPOp>(op)) {
        if (element.getElemType().isInteger(1))
          element.setElemType(byte);
      }
    });
  }
};
} // namespace
