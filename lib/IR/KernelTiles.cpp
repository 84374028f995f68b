#include "sparsam/IR/KernelTiles.h"
#include "sparsam/IR/SparsamOps.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

constexpr int64_t mostTokenVectors = 16;

/// The most of a size on any target, where that does not follow from the shape.
std::optional<int64_t> getMost(KernelTiles::Member member) {
  if (member == &KernelTiles::tokenVectors)
    return mostTokenVectors;
  if (member == &KernelTiles::part || member == &KernelTiles::jobs)
    return KernelTiles::mostAccumulators;
  return std::nullopt;
}

std::string getNames() {
  return llvm::join(
      llvm::map_range(KernelTiles::getMembers(),
                      [](const auto &member) { return member.first.str(); }),
      ", ");
}

} // namespace

ArrayRef<std::pair<StringLiteral, KernelTiles::Member>> KernelTiles::getMembers() {
  static constexpr std::pair<StringLiteral, Member> members[] = {
      {"part", &KernelTiles::part},
      {"token_vectors", &KernelTiles::tokenVectors},
      {"jobs", &KernelTiles::jobs},
      {"range", &KernelTiles::range},
      {"chunk", &KernelTiles::chunk}};
  return members;
}

bool KernelTiles::isName(StringRef name) {
  return llvm::is_contained(llvm::make_first_range(getMembers()), name);
}

KernelTiles KernelTiles::get(Operation *op) {
  KernelTiles tiles;
  if (auto dictionary = op->getAttrOfType<DictionaryAttr>(tilesAttrName))
    for (auto [name, member] : getMembers())
      if (auto size = dictionary.getAs<IntegerAttr>(name))
        tiles.*member = size.getInt();
  return tiles;
}

DictionaryAttr KernelTiles::getAttr(MLIRContext *context) const {
  Builder builder(context);
  SmallVector<NamedAttribute> sizes;
  for (auto [name, member] : getMembers())
    if (std::optional<int64_t> size = this->*member)
      sizes.push_back(builder.getNamedAttr(name, builder.getI64IntegerAttr(*size)));
  return builder.getDictionaryAttr(sizes);
}

bool KernelTiles::isEmpty() const {
  return llvm::none_of(getMembers(), [&](const auto &member) {
    return (this->*member.second).has_value();
  });
}

std::string KernelTiles::getText() const {
  SmallVector<std::string> texts;
  for (auto [name, member] : getMembers())
    if (std::optional<int64_t> size = this->*member)
      texts.push_back((name + " = " + Twine(*size)).str());
  return llvm::join(texts, ", ");
}

LogicalResult KernelTiles::verify(Operation *product,
                                  function_ref<InFlightDiagnostic()> emitError) const {
  if (isa<SpmmOp>(product))
    for (auto [name, member] : getMembers())
      if (this->*member &&
          (member == &KernelTiles::jobs || member == &KernelTiles::chunk))
        return emitError() << "has no '" << name << "', which is a size of sddmm alone";
  for (auto [name, member] : getMembers()) {
    std::optional<int64_t> size = this->*member, most = getMost(member);
    if (!size || (*size >= 1 && (!most || *size <= *most)))
      continue;
    InFlightDiagnostic diagnostic = emitError();
    diagnostic << "needs tile size '" << name << "' to be ";
    if (most)
      diagnostic << "from 1 to " << *most;
    else
      diagnostic << "at least 1";
    return diagnostic << ", found " << *size;
  }
  return success();
}

LogicalResult sparsam::verifyTilesAttr(Operation *op) {
  Attribute attr = op->getAttr(tilesAttrName);
  if (!attr)
    return success();
  auto dictionary = dyn_cast<DictionaryAttr>(attr);
  if (!dictionary)
    return op->emitOpError() << "needs a dictionary of sizes as `" << tilesAttrName
                             << "`, found " << attr;
  for (NamedAttribute size : dictionary) {
    StringRef name = size.getName();
    if (!KernelTiles::isName(name))
      return op->emitOpError() << "has no tile size '" << name << "'; there are "
                               << getNames();
    auto integer = dyn_cast<IntegerAttr>(size.getValue());
    if (!integer || !integer.getType().isInteger(64))
      return op->emitOpError() << "needs an i64 as tile size '" << name << "', found "
                               << size.getValue();
  }
  return KernelTiles::get(op).verify(op, [&] { return op->emitOpError(); });
}
