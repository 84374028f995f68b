#include "SortByInput.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

SortedKept::SortedKept(const KeptInputs &pattern) {
  inputs = pattern.blocks;
  vector = 1;
  blocks = pattern.inputs;
  kept = llvm::divideCeil(pattern.kept * pattern.blocks, std::max<int64_t>(blocks, 1));
  ragged = true;
}

Value SortedKept::buildInput(ImplicitLocOpBuilder &b, ValueRange pattern, Value,
                             Value number) const {
  return buildIndexLoad(b, pattern[0], buildOffset(b, buildScaled(b, number, width), 1));
}

bool cpu::repaysSorting(const KeptProduct &product) {
  return product.vector == 1 && product.tokens > product.getHeight();
}

KernelOperands cpu::sortKept(ImplicitLocOpBuilder &b, const KeptProduct &product,
                             const SortedKept &sorted, Value values, ValueRange pattern,
                             int64_t units, int64_t bunch, KernelLibrary &library) {
  const KeptInputs &kept = product.pattern;
  SortedLayout layout{cast<MemRefType>(values.getType()).getNumElements(),
                      int64_t(llvm::divideCeil(sorted.inputs, units)),
                      sorted.blocks,
                      kept.blocks,
                      units,
                      product.element};
  Value buffer = memref::AllocOp::create(b, layout.getBufferType(), ValueRange(),
                                         b.getI64IntegerAttr(64));
  SmallVector<Value> operands{values};
  llvm::append_range(operands, pattern);
  operands.push_back(buffer);
  // The types do not say how many inputs there are.
  std::string name = llvm::formatv("sparsam_sort_{0}_{1}_{2}_{3}", kept.getName(),
                                   kept.inputs, units, bunch);
  func::FuncOp sort =
      library.get(name, ValueRange(operands).getTypes(),
                  [&](ImplicitLocOpBuilder &b, ValueRange arguments) {
                    buildSortByInput(b, product, layout, bunch, arguments);
                  });
  func::CallOp::create(b, sort, operands);
  KernelOperands result;
  result.values = layout.viewEntries(b, buffer, false);
  result.pattern = {layout.viewEntries(b, buffer, true)};
  result.ranges = {units, layout.viewStarts(b, buffer), layout.viewOrder(b, buffer)};
  return result;
}
