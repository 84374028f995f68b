#include "MeasuredTiles.h"

#include "llvm/Support/Threading.h"

using namespace mlir;
using namespace mlir::sparsam;

static LogicalResult verify(Operation *op, CpuKernelInterface kernels,
                            const CpuTarget &target, const KernelTiles &given,
                            function_ref<InFlightDiagnostic()> emitError) {
  FailureOr<TileSpace> space = kernels.getTileSpace(op, target, given);
  if (failed(space))
    return emitError() << "has tile sizes, and the kernels of " << kernels
                       << " have none to choose";
  return space->verify(given, emitError);
}

LogicalResult sparsam::verifyTiles(Operation *op, CpuKernelInterface kernels,
                                   const CpuTarget &target) {
  KernelTiles given = KernelTiles::get(op);
  if (given.isEmpty())
    return success();
  return verify(op, kernels, target, given, [&] { return op->emitOpError(); });
}

MeasuredTiles::MeasuredTiles(ModuleOp module, StringRef path, const Cpu &cpu,
                             const CpuTarget &target, int64_t threads)
    : path(path), cpu(cpu), target(target),
      threads(threads ? threads : llvm::hardware_concurrency().compute_thread_count()) {
  llvm::Expected<TileCache> read = TileCache::read(path);
  if (read)
    cache = std::move(*read);
  else
    module.emitWarning() << "tile sizes are the model's: "
                         << llvm::toString(read.takeError());
}

bool MeasuredTiles::set(Operation *op, StructureInterface structure) {
  auto kernels = dyn_cast<CpuKernelInterface>(structure);
  bool isStatic = llvm::all_of(op->getOperandTypes(), [](Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    return shaped && shaped.hasStaticShape();
  });
  // The lowering says what is wrong; what cannot be chosen is not measured.
  if (!cache || !kernels || !isStatic || op->hasAttr(tilesAttrName) ||
      failed(kernels.getTileSpace(op, target, {})))
    return false;
  TileKey key = TileKey::get(op, cpu, target, threads);
  const TileEntry *entry = cache->find(key);
  auto [suits, isNew] = known.try_emplace(key, entry && !entry->tiles.isEmpty());
  auto emitRemark = [&] {
    return op->emitRemark() << key.product << " of " << structure << ", " << key.tokens
                            << " x " << key.inputs << " x " << key.outputs
                            << ", has the model's tile sizes: ";
  };
  if (isNew && !entry) {
    emitRemark() << "it was not measured in '" << path << "' for " << cpu.name << " and "
                 << threads << (threads == 1 ? " thread" : " threads");
  } else if (isNew && suits->second) {
    auto emitError = [&] { return emitRemark() << "with those in '" << path << "' it "; };
    suits->second = succeeded(entry->tiles.verify(op, emitError)) &&
                    succeeded(verify(op, kernels, target, entry->tiles, emitError));
  }
  if (suits->second)
    op->setAttr(tilesAttrName, entry->tiles.getAttr(op->getContext()));
  return suits->second;
}
