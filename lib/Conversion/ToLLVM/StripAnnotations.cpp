#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_STRIPANNOTATIONSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;

namespace {
struct StripAnnotationsPass
    : sparsam::impl::StripAnnotationsPassBase<StripAnnotationsPass> {
  using StripAnnotationsPassBase::StripAnnotationsPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    for (unsigned position = 0; position < function.getNumArguments(); ++position) {
      NamedAttrList kept(function.getArgAttrDict(position));
      for (NamedAttribute attr : SmallVector<NamedAttribute>(kept.getAttrs()))
        if (attr.getName().strref().starts_with("sparsam."))
          kept.erase(attr.getName());
      function.setArgAttrs(position, kept);
    }
  }
};
} // namespace
