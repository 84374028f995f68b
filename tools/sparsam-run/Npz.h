#ifndef SPARSAM_TOOLS_NPZ_H
#define SPARSAM_TOOLS_NPZ_H

#include "sparsam/Bundle/Result.h"
#include "sparsam/Bundle/Signature.h"

#include <cstdlib>
#include <map>
#include <memory>

namespace sparsam_run {

using mlir::sparsam::Failure;
using mlir::sparsam::Outcome;
using mlir::sparsam::Result;

/// A dense row-major array in memory aligned for vectors.
class Array {
public:
  Array() = default;
  Array(char kind, unsigned itemBytes, std::vector<int64_t> shape);

  char kind = 'f'; ///< NumPy's letter: f, i, u, b, V
  unsigned itemBytes = 0;
  std::vector<int64_t> shape;

  size_t bytes() const { return size; }
  char *data() const { return memory.get(); }
  /// "float32"
  std::string dtype() const;

private:
  struct Free {
    void operator()(char *pointer) const { std::free(pointer); }
  };
  size_t size = 0;
  std::unique_ptr<char, Free> memory;
};

using Arrays = std::map<std::string, Array>;

/// Reads every array of a .npz file of numpy.savez, compressed or not.
Result<Arrays> readNpz(const std::string &path);

/// Whether such a file can be written there, to know before a long run.
Outcome checkWritable(const std::string &path);

/// Writes such a file, uncompressed. A file that is there already is replaced only
/// once the new one is whole, also if the process is interrupted meanwhile.
Outcome writeNpz(const std::string &path, const std::map<std::string, const Array *> &);

/// The header and the contents of one array; `name` is for messages.
Result<Array> parseNpy(std::string_view contents, std::string_view name);
std::string npyHeader(const Array &array);

} // namespace sparsam_run

#endif // SPARSAM_TOOLS_NPZ_H
