#include "sparsam/Bundle/IndexRule.h"

#include <vector>

using namespace mlir::sparsam;

namespace {

class Checker {
public:
  Checker(const IndexRule &rule, IndexEntries entries) : rule(rule), entries(entries) {}

  std::optional<std::string> checkRuns() const {
    for (int64_t i = 0; i < entries.size; ++i) {
      int64_t first = i / rule.run % rule.period * rule.step;
      if (auto error = checkEntry(i, first, i % rule.run != 0))
        return error;
    }
    return rule.square ? checkSquares() : std::nullopt;
  }

  std::optional<std::string> checkOffsets() const {
    if (entries.size == 0)
      return std::nullopt;
    int64_t last = entries.size - 1;
    if (entries.data[0] != 0)
      return found(0) + "0";
    if (entries.data[last] != rule.range)
      return found(last) + "the " + std::to_string(rule.range) +
             " entries that are stored";
    for (int64_t i = 1; i < entries.size; ++i)
      if (entries.data[i] < entries.data[i - 1])
        return found(i) + "none below the " + std::to_string(entries.data[i - 1]) +
               " before it";
    return std::nullopt;
  }

  std::optional<std::string> checkRows(IndexEntries offsets) const {
    for (int64_t row = 0; row + 1 < offsets.size; ++row)
      for (int64_t i = offsets.data[row]; i < offsets.data[row + 1]; ++i)
        if (auto error = checkEntry(i, 0, i > offsets.data[row]))
          return *error + (entries.data[i] >= 0 && entries.data[i] < rule.range
                               ? " in output " + std::to_string(row)
                               : "");
    return std::nullopt;
  }

private:
  /// "indices[1, 2] is 7, expected "
  std::string found(int64_t position) const {
    std::string text = rule.place;
    int64_t numbers[] = {position, 0};
    if (rule.columns) {
      numbers[0] = position / rule.columns;
      numbers[1] = position % rule.columns;
    }
    for (int64_t number : numbers)
      if (size_t at = text.find("{}"); at != std::string::npos)
        text.replace(at, 2, std::to_string(number));
    return text + " is " + std::to_string(entries.data[position]) + ", expected ";
  }

  std::optional<std::string> checkEntry(int64_t position, int64_t first,
                                        bool ascends) const {
    int64_t index = entries.data[position];
    if (index < first || index >= first + rule.range)
      return found(position) + rule.what + " from " + std::to_string(first) + " to " +
             std::to_string(first + rule.range - 1);
    if (ascends && index <= entries.data[position - 1])
      return found(position) + "one above the " +
             std::to_string(entries.data[position - 1]) + " before it";
    return std::nullopt;
  }

  std::optional<std::string> checkSquares() const {
    int64_t values = (rule.period - 1) * rule.step + rule.range;
    int64_t size = rule.columns * rule.square;
    for (int64_t begin = 0; begin + size <= entries.size; begin += size) {
      std::vector<int64_t> counts(values);
      for (int64_t i = begin; i < begin + size; ++i)
        ++counts[entries.data[i]];
      int64_t row = begin / rule.columns;
      for (int64_t value = 0; value < values; ++value)
        if (counts[value] != rule.times)
          return "outputs " + std::to_string(row) + " to " +
                 std::to_string(row + rule.square - 1) + " keep input " +
                 std::to_string(value) + " " + std::to_string(counts[value]) +
                 " times, expected " + std::to_string(rule.times);
    }
    return std::nullopt;
  }

  const IndexRule &rule;
  IndexEntries entries;
};

} // namespace

const char *mlir::sparsam::kindName(IndexRule::Kind kind) {
  switch (kind) {
  case IndexRule::Kind::Runs:
    return "runs";
  case IndexRule::Kind::Offsets:
    return "offsets";
  case IndexRule::Kind::Rows:
    return "rows";
  }
  return "";
}

std::optional<std::string> mlir::sparsam::checkIndices(const IndexRule &rule,
                                                       IndexEntries entries,
                                                       IndexEntries before) {
  Checker checker(rule, entries);
  switch (rule.kind) {
  case IndexRule::Kind::Runs:
    return checker.checkRuns();
  case IndexRule::Kind::Offsets:
    return checker.checkOffsets();
  case IndexRule::Kind::Rows:
    return checker.checkRows(before);
  }
  return std::nullopt;
}
