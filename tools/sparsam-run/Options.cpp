#include "Options.h"
#include "sparsam/Runtime/Runtime.h"

#include <charconv>
#include <cstdio>
#include <getopt.h>
#include <limits>
#include <string_view>

using namespace sparsam_run;

namespace {

constexpr const char *help =
    R"(OVERVIEW: Runs a function of an MLIR file, at any level, or of a bundle of
sparsam-compile on this machine

USAGE: sparsam-run [options] [file.mlir | bundle]

  sparsam-run step.mlir --args params.npz --steps 100 --results out.npz
  sparsam-run step.sparsam --args params.npz --steps 100 --results out.npz

Without a file, MLIR is read from standard input. A bundle needs no LLVM.

OPTIONS:
  --args FILE.npz      arguments, by their sparsam.name, or as arg0, arg1, ...; arrays
                       that no function of the file knows are an error. Without it they
                       are made up: parameters and floating-point inputs are random,
                       patterns are selected from them, optimizer state and integers
                       are zero
  --results FILE.npz   where to write the results of the last step, by name; what is
                       updated in place keeps its name as an argument. Needs --args, if
                       the function reads arrays
  --function NAME      the function to run (default: step, main, or the only public one)
  --steps N            calls, each on the values that the one before it left in the
                       arguments that it updates (default: 1)
  --pipeline PASSES    passes that take the input down to sparsam-to-cpu (default:
                       sparsam-cpu-pipeline; none if the input is there already).
                       For a function that is no training step: sparsam-to-cpu
  --cpu NAME           the CPU to compile for, as clang's -mcpu takes it (default: what
                       the file says, or this machine's)
  --load-dialect-plugin FILE.so
                       a library with structures of its own; may be given again
  --threads N          threads, up to 1024 (default: as OpenMP decides)
  --[no-]progress      show a progress bar (default: where standard error is a
                       terminal)
  --describe           print what the function takes and gives, and do not run it
  --help               print this
)";

enum Code {
  Args = 256,
  Results,
  Function,
  Steps,
  Pipeline,
  CpuName,
  Plugin,
  Threads,
  Progress,
  NoProgress,
  Describe,
  Help
};

constexpr option longOptions[] = {
    {"args", required_argument, nullptr, Args},
    {"results", required_argument, nullptr, Results},
    {"function", required_argument, nullptr, Function},
    {"steps", required_argument, nullptr, Steps},
    {"pipeline", required_argument, nullptr, Pipeline},
    {"cpu", required_argument, nullptr, CpuName},
    {"load-dialect-plugin", required_argument, nullptr, Plugin},
    {"threads", required_argument, nullptr, Threads},
    {"progress", no_argument, nullptr, Progress},
    {"no-progress", no_argument, nullptr, NoProgress},
    {"describe", no_argument, nullptr, Describe},
    {"help", no_argument, nullptr, Help},
    {nullptr, 0, nullptr, 0},
};

bool fail(const std::string &message) {
  std::fprintf(stderr, "sparsam-run: error: %s\n", message.c_str());
  return false;
}

bool parseCount(const char *name, int64_t &value,
                int64_t most = std::numeric_limits<int64_t>::max()) {
  std::string_view text = optarg;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < 1)
    return fail(std::string(name) + " must be a number of at least 1, and is '" + optarg +
                "'");
  if (value > most)
    return fail(std::string(name) + " must be at most " + std::to_string(most) +
                ", and is '" + optarg + "'");
  return true;
}

bool parseOne(int code, Options &options) {
  switch (code) {
  case Args:
    options.args = optarg;
    return true;
  case Results:
    options.results = optarg;
    return true;
  case Function:
    options.function = optarg;
    return true;
  case Steps:
    return parseCount("--steps", options.steps);
  case Pipeline:
    options.pipeline = optarg;
    return true;
  case CpuName:
    options.cpu = optarg;
    return true;
  case Plugin:
    options.plugins.emplace_back(optarg);
    return true;
  case Threads:
    return parseCount("--threads", options.threads, SPARSAM_MAX_THREADS);
  case Progress:
  case NoProgress:
    options.progress = code == Progress;
    return true;
  case Describe:
    options.describe = true;
    return true;
  default:
    // getopt has said what is wrong.
    std::fprintf(stderr, "try sparsam-run --help\n");
    return false;
  }
}

} // namespace

std::optional<Options> sparsam_run::parseOptions(int argc, char **argv, int &exitCode) {
  Options options;
  exitCode = 1;
  for (int code; (code = getopt_long(argc, argv, "h", longOptions, nullptr)) != -1;) {
    if (code == Help || code == 'h') {
      std::fputs(help, stdout);
      exitCode = 0;
      return std::nullopt;
    }
    if (!parseOne(code, options))
      return std::nullopt;
  }
  if (optind < argc)
    options.input = argv[optind++];
  if (optind < argc) {
    fail(std::string("one input file is enough: '") + argv[optind] + "' is a second");
    return std::nullopt;
  }
  return options;
}
