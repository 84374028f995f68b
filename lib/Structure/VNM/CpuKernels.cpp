#include "sparsam/Conversion/ToCPU/KeptInputs.h"
#include "sparsam/Conversion/ToCPU/Panels.h"
#include "sparsam/Structure/VNM/VNM.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Each output keeps inputs of its own, found through the columns of its V outputs.
struct VNMKeptInputs : KeptInputs {
  VNMKeptInputs(VNMAttr structure, RankedTensorType matrix) : structure(structure) {
    inputs = matrix.getDimSize(0);
    vector = 1;
    blocks = matrix.getDimSize(1);
    unit = structure.getM();
    keptOfUnit = structure.getN();
    kept = inputs / unit * *keptOfUnit;
  }

  std::string getName() const override {
    return llvm::formatv("vnm_{0}_{1}_{2}", structure.getV(), structure.getN(),
                         structure.getM());
  }

  std::pair<Value, Value> buildSpan(ImplicitLocOpBuilder &b, ValueRange,
                                    Value block) const override {
    Value begin = buildScaled(b, block, kept);
    return {begin, buildOffset(b, begin, kept)};
  }

  Value buildInput(ImplicitLocOpBuilder &b, ValueRange pattern, Value block,
                   Value number) const override {
    Value ofBlock = arith::SubIOp::create(b, number, buildScaled(b, block, kept));
    Value group = arith::DivUIOp::create(b, ofBlock, buildIndex(b, structure.getN()));
    Value shared = arith::DivUIOp::create(b, block, buildIndex(b, structure.getV()));
    Value first = arith::AddIOp::create(b, buildScaled(b, shared, inputs / unit * 4),
                                        buildScaled(b, group, 4));
    Value member = buildIndexLoad(b, pattern[1], number);
    Value place = arith::AddIOp::create(b, first, member);
    return buildIndexLoad(b, pattern[0], place);
  }

  VNMAttr structure;
};

} // namespace

void sparsam::registerVNMCpuKernels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparsamDialect *) {
    VNMAttr::attachInterface<KernelsOfKept<VNMAttr, VNMKeptInputs>>(*context);
  });
}
