// What index tensors of a pattern must hold, said so that it can be checked without the
// structure, as that of a bundle is.
#ifndef SPARSAM_BUNDLE_INDEXRULE_H
#define SPARSAM_BUNDLE_INDEXRULE_H

#include <cstdint>
#include <optional>
#include <string>

namespace mlir::sparsam {

struct IndexRule {
  enum class Kind {
    /// Entries ascend within runs of `run` of them, and are in a range of `range` values.
    /// The first run's begins at 0 and each next one's `step` above that, until they
    /// begin
    /// again after `period` runs.
    Runs,
    /// Where rows begin in the tensor that follows, and at last its size, `range`.
    Offsets,
    /// Entries ascend between the offsets that the tensor before has, and are below
    /// `range`.
    Rows,
  };

  Kind kind = Kind::Runs;
  /// How messages speak of an entry: with `{}` for its row and its place in that, or for
  /// its place alone. "indices[{}, {}]"
  std::string place;
  /// What it stands for, "an input".
  std::string what;
  /// Of a row; 0 where `place` has no rows.
  int64_t columns = 0;
  int64_t run = 1;
  int64_t period = 1;
  int64_t step = 0;
  int64_t range = 0;
  /// If not 0, of each `square` rows together each value occurs `times` times.
  int64_t square = 0, times = 0;
  /// Of the tensor, in one layer.
  int64_t entries = 0;
};

/// "runs", "offsets", "rows"
__attribute__((visibility("default"))) const char *kindName(IndexRule::Kind kind);

/// The entries of one tensor in one layer.
struct IndexEntries {
  const int64_t *data;
  int64_t size;
};

/// What is wrong with entries, if anything is. `before` are those of the tensor before,
/// which have been checked.
__attribute__((visibility("default"))) std::optional<std::string>
checkIndices(const IndexRule &rule, IndexEntries entries, IndexEntries before);

} // namespace mlir::sparsam

#endif // SPARSAM_BUNDLE_INDEXRULE_H
