#ifndef SPARSAM_TOOLS_OPTIONS_H
#define SPARSAM_TOOLS_OPTIONS_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sparsam_run {

/// What the command line of sparsam-run says.
struct Options {
  std::string input = "-";
  std::string args;
  std::string results;
  std::string function;
  std::optional<std::string> pipeline;
  std::string cpu;
  int64_t steps = 1;
  int64_t threads = 0;
  std::optional<bool> progress;
  bool describe = false;
  std::vector<std::string> plugins;
};

/// Nothing if the process should end with `exitCode` (help, or a message that was
/// printed).
std::optional<Options> parseOptions(int argc, char **argv, int &exitCode);

} // namespace sparsam_run

#endif // SPARSAM_TOOLS_OPTIONS_H
