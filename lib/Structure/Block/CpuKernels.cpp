#include "sparsam/Conversion/ToCPU/KeptInputs.h"
#include "sparsam/Conversion/ToCPU/Panels.h"
#include "sparsam/Structure/Block/Block.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// The outputs of a block row share the inputs of its blocks.
struct BlockKeptInputs : KeptInputs {
  BlockKeptInputs(BlockAttr structure, RankedTensorType matrix) {
    inputs = matrix.getDimSize(0);
    vector = structure.getBlockOutputs();
    blocks = matrix.getDimSize(1) / vector;
    run = unit = structure.getBlockInputs();
    kept = structure.getStoredBlocks(inputs) * unit;
    // All blocks, each in its place.
    if (kept == inputs)
      keptOfUnit = unit;
  }

  /// The type of the values says how large a block is.
  std::string getName() const override { return "block_" + std::to_string(unit); }

  std::pair<Value, Value> buildSpan(ImplicitLocOpBuilder &b, ValueRange,
                                    Value block) const override {
    Value begin = buildScaled(b, block, kept);
    return {begin, buildOffset(b, begin, kept)};
  }

  Value buildInput(ImplicitLocOpBuilder &b, ValueRange pattern, Value,
                   Value number) const override {
    Value size = buildIndex(b, unit);
    Value place = arith::DivUIOp::create(b, number, size);
    Value first = buildScaled(b, buildIndexLoad(b, pattern[0], place), unit);
    return arith::AddIOp::create(b, first, arith::RemUIOp::create(b, number, size));
  }
};

} // namespace

void sparsam::registerBlockCpuKernels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparsamDialect *) {
    BlockAttr::attachInterface<KernelsOfKept<BlockAttr, BlockKeptInputs>>(*context);
  });
}
