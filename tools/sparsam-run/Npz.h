#ifndef SPARSAM_TOOLS_NPZ_H
#define SPARSAM_TOOLS_NPZ_H

#include "sparsam/Runtime/Signature.h"

#include "llvm/Support/Error.h"

#include <cstdlib>
#include <map>
#include <memory>

namespace sparsam_run {

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
llvm::Expected<Arrays> readNpz(const std::string &path);

/// Whether such a file can be written there, to know before a long run.
llvm::Error checkWritable(const std::string &path);

/// Writes such a file, uncompressed. A file that is there already is replaced only
/// once the new one is whole, also if the process is interrupted meanwhile.
llvm::Error writeNpz(const std::string &path,
                     const std::map<std::string, const Array *> &);

/// The header and the contents of one array; `name` is for messages.
llvm::Expected<Array> parseNpy(llvm::StringRef contents, llvm::StringRef name);
std::string npyHeader(const Array &array);

} // namespace sparsam_run

#endif // SPARSAM_TOOLS_NPZ_H
