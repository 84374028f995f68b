#include "sparsam/Bundle/Patterns.h"

#include <cstring>

using namespace mlir::sparsam;

namespace {

/// Unsigned, as storage has its indices.
std::vector<int64_t> readIndices(const ProgramArgument &argument, const void *data) {
  size_t width = findElementType(argument.elementType)->bytes;
  std::vector<int64_t> indices(argument.bytes / width);
  for (size_t i = 0; i < indices.size(); ++i) {
    uint64_t value = 0;
    std::memcpy(&value, static_cast<const char *>(data) + i * width, width);
    indices[i] = static_cast<int64_t>(value);
  }
  return indices;
}

/// The entries of one tensor in a layer, of all layers' one after the other.
IndexEntries ofLayer(const std::vector<int64_t> &indices, int64_t layers, int64_t layer) {
  int64_t size = static_cast<int64_t>(indices.size()) / layers;
  return {indices.data() + layer * size, size};
}

std::optional<std::string> checkLayers(const IndexRule &rule,
                                       const std::vector<int64_t> &indices,
                                       const std::vector<int64_t> &before) {
  int64_t layers = rule.entries ? static_cast<int64_t>(indices.size()) / rule.entries : 0;
  for (int64_t layer = 0; layer < layers; ++layer)
    if (auto error = checkIndices(rule, ofLayer(indices, layers, layer),
                                  ofLayer(before, layers, layer)))
      return (layers > 1 ? "layer " + std::to_string(layer) + ": " : "") + *error;
  return std::nullopt;
}

} // namespace

std::optional<PatternFault> mlir::sparsam::checkPatterns(const ProgramFunction &function,
                                                         void *const *arrays) {
  size_t number = 0;
  std::vector<int64_t> before;
  for (const ProgramArgument &argument : function.arguments) {
    if (argument.isWorkspace())
      continue;
    const void *data = arrays[number++];
    if (!argument.index || !data || argument.role == ProgramArgument::Role::Result)
      continue;
    std::vector<int64_t> indices = readIndices(argument, data);
    if (auto error = checkLayers(*argument.index, indices, before))
      return PatternFault{number - 1, *error};
    before = std::move(indices);
  }
  return std::nullopt;
}
