#include "sparsam/Conversion/ToCPU/KeptInputs.h"
#include "sparsam/Conversion/ToCPU/Panels.h"
#include "sparsam/Structure/NM/NM.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

struct NMKeptInputs : KeptInputs {
  NMKeptInputs(NMAttr structure, RankedTensorType matrix) : structure(structure) {
    inputs = matrix.getDimSize(0);
    vector = structure.getVector();
    blocks = matrix.getDimSize(1) / vector;
    unit = structure.getM();
    keptOfUnit = structure.getN();
    kept = inputs / unit * *keptOfUnit;
  }

  std::string getName() const override {
    return llvm::formatv("nm_{0}_{1}", structure.getN(), structure.getM());
  }

  std::pair<Value, Value> buildSpan(ImplicitLocOpBuilder &b, ValueRange,
                                    Value block) const override {
    Value begin = buildScaled(b, block, kept);
    return {begin, buildOffset(b, begin, kept)};
  }

  Value buildInput(ImplicitLocOpBuilder &b, ValueRange pattern, Value,
                   Value number) const override {
    return buildIndexLoad(b, pattern[0], number);
  }

  NMAttr structure;
};

} // namespace

void sparsam::registerNMCpuKernels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparsamDialect *) {
    NMAttr::attachInterface<KernelsOfKept<NMAttr, NMKeptInputs>>(*context);
  });
}
