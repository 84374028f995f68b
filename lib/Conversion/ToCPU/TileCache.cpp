#include "sparsam/Conversion/ToCPU/TileCache.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <tuple>

using namespace mlir;
using namespace mlir::sparsam;
using namespace llvm;

/// Of the format. A file of another one is left alone.
static constexpr int64_t version = 1;

TileKey TileKey::get(Operation *op, const Cpu &cpu, const CpuTarget &target,
                     int64_t threads) {
  auto type = cast<ShapedType>(op->getOperand(0).getType());
  auto spmm = dyn_cast<SpmmOp>(op);
  RankedTensorType matrix =
      spmm ? spmm.getMatrixType() : cast<SddmmOp>(op).getMatrixType();
  Attribute structure = spmm ? spmm.getStructure() : cast<SddmmOp>(op).getStructure();
  std::string text, element;
  raw_string_ostream(text) << structure;
  raw_string_ostream(element) << type.getElementType();
  std::string product = op->getName().stripDialect().str();
  if (spmm && spmm.getTransposed())
    product += "_transposed";
  return {cpu.name, target.vectorBits, target.l1Bytes, target.l2Bytes, threads, product,
          // Without "#sparsam.", as users write it.
          StringRef(text).split('.').second.str(), element, type.getDimSize(0),
          matrix.getDimSize(0), matrix.getDimSize(1)};
}

bool TileKey::operator<(const TileKey &other) const {
  auto tie = [](const TileKey &key) {
    return std::tie(key.cpu, key.vectorBits, key.l1Bytes, key.l2Bytes, key.structure,
                    key.element, key.tokens, key.inputs, key.outputs, key.threads,
                    key.product);
  };
  return tie(*this) < tie(other);
}

const TileEntry *TileCache::find(const TileKey &key) const {
  auto found = entries.find(key);
  return found == entries.end() ? nullptr : &found->second;
}

namespace {

json::Object toJson(const TileKey &key, const TileEntry &entry) {
  json::Object tiles;
  for (auto [name, member] : KernelTiles::getMembers())
    if (std::optional<int64_t> size = entry.tiles.*member)
      tiles[name] = *size;
  json::Object object{{"tiles", std::move(tiles)},
                      {"model_seconds", entry.modelSeconds},
                      {"seconds", entry.seconds}};
  TileKey::forEachField(key,
                        [&](StringRef name, const auto &field) { object[name] = field; });
  return object;
}

bool fromJson(const json::Value &value, KernelTiles &tiles, json::Path path) {
  json::ObjectMapper map(value, path);
  if (!map)
    return false;
  for (const auto &[name, size] : *value.getAsObject())
    if (!KernelTiles::isName(name)) {
      path.field(name).report("unknown tile size");
      return false;
    }
  return llvm::all_of(KernelTiles::getMembers(), [&](const auto &member) {
    return map.mapOptional(member.first, tiles.*member.second);
  });
}

bool fromJson(const json::Value &value, TileKey &key, TileEntry &entry, json::Path path) {
  json::ObjectMapper map(value, path);
  bool isWhole = map;
  TileKey::forEachField(key, [&](StringLiteral name, auto &field) {
    isWhole = isWhole && map.map(name, field);
  });
  return isWhole && map.map("model_seconds", entry.modelSeconds) &&
         map.map("seconds", entry.seconds);
}

Error makeError(StringRef name, const Twine &what) {
  return createStringError("'" + name + "' " + what +
                           "; remove it, or name another file");
}

} // namespace

Expected<TileCache> TileCache::parse(StringRef text, StringRef name) {
  Expected<json::Value> value = json::parse(text);
  if (!value)
    return makeError(name,
                     "is no whole file of tile sizes: " + toString(value.takeError()));
  const json::Object *object = value->getAsObject();
  const json::Value *found = object ? object->get("version") : nullptr;
  if (!found)
    return makeError(name, "is no file of tile sizes: it has no version");
  if (found->getAsInteger() != version)
    return makeError(name,
                     formatv("is of version {0}, and this Sparsam reads version {1}",
                             *found, version));
  const json::Array *list = object->getArray("entries");
  if (!list)
    return makeError(name, "is no file of tile sizes: it has no array of entries");

  TileCache cache;
  json::Path::Root root("entries");
  json::Path all(root);
  for (auto [number, element] : enumerate(*list)) {
    TileKey key;
    TileEntry entry;
    json::Path path = all.index(number);
    const json::Object *fields = element.getAsObject();
    const json::Value *tiles = fields ? fields->get("tiles") : nullptr;
    if (fields && !tiles)
      path.field("tiles").report("missing value");
    if (!fromJson(element, key, entry, path) || !tiles ||
        !fromJson(*tiles, entry.tiles, path.field("tiles")))
      return makeError(name, "is no file of tile sizes: " + toString(root.getError()));
    cache.add(key, entry);
  }
  return cache;
}

std::string TileCache::print() const {
  json::Array list;
  for (const auto &[key, entry] : entries)
    list.push_back(toJson(key, entry));
  json::Object object{{"version", version}, {"entries", std::move(list)}};
  return formatv("{0:2}\n", json::Value(std::move(object)));
}
