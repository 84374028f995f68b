#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_MARKWRITABLEPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;

namespace {
struct MarkWritablePass : sparsam::impl::MarkWritablePassBase<MarkWritablePass> {
  using MarkWritablePassBase::MarkWritablePassBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (!function.isPublic() || function.isDeclaration())
        continue;
      for (unsigned position = 0; position < function.getNumArguments(); ++position) {
        if (!isa<TensorType>(function.getArgument(position).getType()))
          continue;
        bool updated = function.getArgAttr(position, "sparsam.updates") != nullptr;
        function.setArgAttr(position,
                            bufferization::BufferizationDialect::kWritableAttrName,
                            BoolAttr::get(&getContext(), updated));
      }
    }
  }
};
} // namespace
