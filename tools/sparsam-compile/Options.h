#ifndef SPARSAM_TOOLS_COMPILE_OPTIONS_H
#define SPARSAM_TOOLS_COMPILE_OPTIONS_H

#include <optional>
#include <string>
#include <vector>

namespace sparsam_compile {

/// What the compiler writes.
enum class Product { Bundle, SharedLibrary, Object };

/// What the command line of sparsam-compile says.
struct Options {
  std::string input = "-";
  std::string output;
  std::optional<std::string> pipeline;
  std::vector<std::string> cpus;
  std::vector<std::string> plugins;
  /// A file of tile sizes; empty for none.
  std::string tiles;
  /// How many threads they were measured with; 0 for one a core.
  unsigned threads = 0;
  Product product = Product::Bundle;
};

/// Nothing if the process should end with `exitCode` (help, or a message that was
/// printed).
std::optional<Options> parseOptions(int argc, char **argv, int &exitCode);

} // namespace sparsam_compile

#endif // SPARSAM_TOOLS_COMPILE_OPTIONS_H
