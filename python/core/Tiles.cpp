#include "Tiles.h"
#include "Diagnostics.h"

#include "llvm/Support/Threading.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace mlir;
using namespace mlir::sparsam;
using namespace sparsam_python;

namespace {

std::string getText(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

nb::dict toPython(const KernelTiles &tiles) {
  nb::dict result;
  for (auto [name, member] : KernelTiles::getMembers())
    if (std::optional<int64_t> size = tiles.*member)
      result[name.data()] = *size;
  return result;
}

TileKey readKey(const nb::dict &given) {
  TileKey key;
  TileKey::forEachField(key, [&](const char *name, auto &field) {
    field = nb::cast<std::decay_t<decltype(field)>>(given[name]);
  });
  return key;
}

KernelTiles readTiles(const nb::dict &given) {
  KernelTiles tiles;
  for (auto [name, member] : KernelTiles::getMembers())
    if (given.contains(name.data()))
      tiles.*member = nb::cast<int64_t>(given[name.data()]);
  return tiles;
}

nb::builtin_exception toValueError(llvm::Error error) {
  return nb::value_error(llvm::toString(std::move(error)).c_str());
}

nb::list findTiles(const std::string &path, const nb::list &keys) {
  llvm::Expected<TileCache> cache = TileCache::read(path);
  if (!cache)
    throw toValueError(cache.takeError());
  nb::list result;
  for (nb::handle key : keys) {
    const TileEntry *entry = cache->find(readKey(nb::cast<nb::dict>(key)));
    result.append(entry ? nb::object(toPython(entry->tiles)) : nb::none());
  }
  return result;
}

using Entry = std::tuple<nb::dict, nb::dict, double, double>;

void addTiles(const std::string &path, const std::vector<Entry> &entries) {
  TileCache more;
  for (const auto &[key, tiles, modelSeconds, seconds] : entries)
    more.add(readKey(key), {readTiles(tiles), modelSeconds, seconds});
  // It may wait for other processes.
  std::string message;
  {
    nb::gil_scoped_release unlocked;
    message = llvm::toString(TileCache::update(path, more));
  }
  if (!message.empty())
    throw nb::value_error(message.c_str());
}

} // namespace

/// Why a product cannot have these sizes; empty where it can.
static std::string findObstacle(Operation *op, CpuKernelInterface kernels,
                                const CpuTarget &target, const KernelTiles &tiles) {
  std::vector<Message> messages;
  DiagnosticCollector collector(op->getContext(), messages);
  auto emitError = [&] { return op->emitError() << "it "; };
  if (succeeded(tiles.verify(op, emitError)))
    if (auto space = kernels.getTileSpace(op, target, tiles); succeeded(space))
      (void)space->verify(tiles, emitError);
  return messages.empty() ? "" : messages.front().text;
}

std::vector<TunableProduct> Module::products(const std::string &name, int64_t threads,
                                             const std::string &tiles) {
  std::lock_guard<std::mutex> lock(context->mutex);
  DiagnosticCollector collector(&context->mlir, messages);
  llvm::Expected<Cpu> cpu = Cpu::get(name, *module);
  if (!cpu)
    throw std::invalid_argument(llvm::toString(cpu.takeError()));
  if (!threads)
    threads = llvm::hardware_concurrency().compute_thread_count();
  TileCache cache;
  if (!tiles.empty()) {
    llvm::Expected<TileCache> read = TileCache::read(tiles);
    if (!read)
      throw std::invalid_argument(llvm::toString(read.takeError()));
    cache = std::move(*read);
  }
  CpuTarget target = CpuTarget::get(*cpu, /*vectorBits=*/0);
  std::vector<TunableProduct> found;
  std::map<TileKey, size_t> known;
  module->walk([&](Operation *op) {
    auto spmm = dyn_cast<SpmmOp>(op);
    auto sddmm = dyn_cast<SddmmOp>(op);
    if (!spmm && !sddmm)
      return;
    StructureInterface structure = spmm ? spmm.getStructure() : sddmm.getStructure();
    RankedTensorType matrix = spmm ? spmm.getMatrixType() : sddmm.getMatrixType();
    auto kernels = dyn_cast<CpuKernelInterface>(structure);
    auto input = cast<ShapedType>(op->getOperand(0).getType());
    if (!kernels || !input.hasStaticShape() || !matrix.hasStaticShape())
      return;
    FailureOr<TileSpace> space = kernels.getTileSpace(op, target, {});
    auto storage = structure.getStorage(matrix, [&] { return op->emitOpError(); });
    if (failed(space) || failed(storage))
      return;
    TunableProduct product{
        TileKey::get(op, *cpu, target, threads), *space, {}, {}, {}, {}};
    for (const StorageTensor &tensor : *storage)
      (tensor.isTrainable() ? product.values : product.pattern)
          .push_back(getText(tensor.type));
    if (!known.try_emplace(product.key, found.size()).second)
      return;
    if (const TileEntry *entry = cache.find(product.key)) {
      product.measured = entry->tiles;
      product.obstacle = findObstacle(op, kernels, target, entry->tiles);
    }
    found.push_back(std::move(product));
  });
  return found;
}

nb::list sparsam_python::describeProducts(Module &module, const std::string &cpu,
                                          int64_t threads, const std::string &tiles) {
  std::vector<TunableProduct> products;
  {
    nb::gil_scoped_release unlocked;
    products = module.products(cpu, threads, tiles);
  }
  nb::list result;
  for (const TunableProduct &product : products) {
    nb::dict entry, key;
    TileKey::forEachField(product.key, [&](const char *name, const auto &field) {
      key[name] = nb::cast(field);
    });
    entry["key"] = key;
    entry["values"] = product.values;
    entry["pattern"] = product.pattern;
    entry["tiles"] = toPython(product.space.tiles);
    entry["outputs"] = product.space.outputs;
    entry["rows"] = product.space.rows;
    entry["unit"] = product.space.unit;
    entry["jobs_in_vector"] = product.space.jobsInVector;
    entry["elements"] = product.space.mostElements;
    entry["lanes"] = product.space.lanes;
    entry["registers"] = product.space.registers;
    entry["measured"] =
        product.measured ? nb::object(toPython(*product.measured)) : nb::none();
    entry["obstacle"] = product.obstacle;
    result.append(entry);
  }
  return result;
}

void sparsam_python::bindTiles(nb::module_ &m) {
  m.def("find_tiles", &findTiles, "path"_a, "keys"_a);
  m.def("add_tiles", &addTiles, "path"_a, "entries"_a);
}
