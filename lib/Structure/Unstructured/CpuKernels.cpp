#include "sparsam/Conversion/ToCPU/KeptInputs.h"
#include "sparsam/Conversion/ToCPU/Panels.h"
#include "sparsam/Structure/Unstructured/Unstructured.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Each output keeps inputs of its own, from `positions` on.
struct UnstructuredKeptInputs : KeptInputs {
  UnstructuredKeptInputs(UnstructuredAttr structure, RankedTensorType matrix) {
    inputs = matrix.getDimSize(0);
    vector = 1;
    blocks = matrix.getDimSize(1);
    int64_t count = countAtDensity(structure.getDensity(), matrix.getNumElements());
    kept = llvm::divideCeil(count, std::max<int64_t>(blocks, 1));
    ragged = true;
  }

  std::string getName() const override { return "unstructured"; }

  std::pair<Value, Value> buildSpan(ImplicitLocOpBuilder &b, ValueRange pattern,
                                    Value block) const override {
    return {buildIndexLoad(b, pattern[0], block),
            buildIndexLoad(b, pattern[0], buildOffset(b, block, 1))};
  }

  Value buildInput(ImplicitLocOpBuilder &b, ValueRange pattern, Value,
                   Value number) const override {
    return buildIndexLoad(b, pattern[1], number);
  }
};

} // namespace

void sparsam::registerUnstructuredCpuKernels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparsamDialect *) {
    UnstructuredAttr::attachInterface<
        KernelsOfKept<UnstructuredAttr, UnstructuredKeptInputs>>(*context);
  });
}
