// What kernels of `KeptInputs` can be cut into.
#include "KeptPieces.h"
#include "SortedKept.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

LogicalResult TileSpace::verify(const KernelTiles &given,
                                function_ref<InFlightDiagnostic()> emitError) const {
  if (given.part && *given.part > outputs)
    return emitError() << "has blocks of " << outputs
                       << " outputs, of which no more are in registers, found part = "
                       << *given.part;
  if (jobsInVector && given.jobs &&
      (!llvm::isPowerOf2_64(*given.jobs) || *given.jobs > lanes))
    return emitError() << "sums the gradients of single outputs in one vector of "
                       << lanes << ", expected a power of two up to that, found jobs = "
                       << *given.jobs;
  if (jobsInVector && given.chunk)
    return emitError()
           << "sums the gradients of single outputs over lanes in each panel, "
              "expected no chunk, found chunk = "
           << *given.chunk;
  auto [name, others] = tiles.jobs ? std::pair("jobs", *tiles.jobs)
                                   : std::pair("token_vectors", *tiles.tokenVectors);
  if (*tiles.part * others > KernelTiles::mostAccumulators)
    return emitError() << "has part x " << name << " accumulators in registers, at most "
                       << KernelTiles::mostAccumulators
                       << ", found part = " << *tiles.part << " and " << name << " = "
                       << others;
  if (given.chunk && *given.chunk > tokens)
    return emitError() << "has " << tokens
                       << " tokens, of which no more are in a chunk, found chunk = "
                       << *given.chunk;
  if (!given.range)
    return success();
  if (*given.range > rows || *given.range % unit != 0)
    return emitError() << "keeps its rows in groups of " << unit
                       << ", expected a multiple, up to all " << rows
                       << ", found range = " << *given.range;
  int64_t height = lanes * *tiles.tokenVectors;
  if (mostElements && *given.range * height > *mostElements)
    return emitError() << "has at most " << *mostElements / height
                       << " rows of a range on the stack, in panels of " << height
                       << " tokens, found range = " << *given.range;
  return success();
}

TileSpace sparsam::getTileSpaceOfKept(Operation *op, const KeptInputs &pattern,
                                      const CpuTarget &target, const KernelTiles &given) {
  auto type = cast<ShapedType>(op->getOperand(0).getType());
  Type element = type.getElementType();
  auto spmm = dyn_cast<SpmmOp>(op);
  KeptProduct product(pattern, type.getDimSize(0), element, target, given);
  if (spmm)
    if (std::optional<KeptPieces> pieces = cutForStack(product, spmm.getTransposed()))
      return getTileSpaceOfKept(op, *pieces, target, given);
  auto describe = [&](const KeptProduct &product, int64_t units) {
    KernelTiles tiles{product.partSize, product.tokenVectors, std::nullopt,
                      given.range.value_or(units * product.pattern.unit), std::nullopt};
    return TileSpace{tiles,
                     product.vector,
                     product.pattern.inputs,
                     product.pattern.unit,
                     product.tokens,
                     product.vector == 1 && !spmm,
                     std::nullopt,
                     product.lanes,
                     target.registers};
  };
  if (!spmm) {
    TileSpace space = describe(product, getGradientUnits(product));
    space.tiles.jobs = product.jobs;
    space.tiles.chunk = getGradientChunk(product);
    return space;
  }
  if (!spmm.getTransposed())
    return describe(product, getForwardUnits(product));
  if (repaysSorting(product)) {
    SortedKept sorted(pattern);
    KeptProduct gathered(sorted, product.tokens, element, target, given);
    return describe(gathered, getForwardUnits(gathered));
  }
  TileSpace space = describe(product, getTransposedUnits(product));
  space.mostElements = mostStackBytes / product.getBytes(1);
  return space;
}
