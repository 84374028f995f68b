// Not llvm::cl: every option of libLLVM is registered there too.

#include "Options.h"
#include "sparsam/Runtime/Runtime.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <getopt.h>

using namespace sparsam_compile;

namespace {

constexpr llvm::StringLiteral help =
    R"(OVERVIEW: Compiles an MLIR file, at any level, ahead of time

USAGE: sparsam-compile [options] -o OUTPUT [file.mlir]

  sparsam-compile step.mlir -o step.sparsam
  sparsam-run step.sparsam --args params.npz --steps 100

  sparsam-compile step.mlir --emit=shared-library -o libstep.so
  cc main.c -L. -lstep -lSparsamRuntime

Without a file, MLIR is read from standard input.

OPTIONS:
  -o OUTPUT            where to write it, with the ending of what is written: .sparsam,
                       .so or .o; what is there is replaced by a whole new one only
  --emit=WHAT          bundle: a folder of code for one or several CPUs and a manifest,
                       for sparsam-run, sparsam.load and libSparsamBundle (default)
                       shared-library: functions for C and C++, for one CPU, and their
                       header beside it (step.h for libstep.so)
                       object: the same, not linked
  --cpu=NAME,...       the CPUs to compile for, as clang's -mcpu takes them; host is this
                       machine's. The bundle's code for the widest vectors that a machine
                       has runs. (default: a baseline, x86-64-v3 or generic; for a bundle
                       host, too, where that has wider vectors)
  --pipeline PASSES    passes that take the input down to sparsam-to-cpu (default:
                       sparsam-cpu-pipeline; none if the input is there already).
                       For a function that is no training step: sparsam-to-cpu
  --tiles FILE         tile sizes of sparse kernels that were measured (Step.tune in Python)
  --threads N          how many threads they were measured with (default: one a core)
  --load-dialect-plugin FILE.so
                       a library with structures of its own; may be given again
  --help               print this
)";

enum Code { Emit = 256, CpuNames, Pipeline, Plugin, Tiles, Threads, Help };

constexpr option longOptions[] = {
    {"emit", required_argument, nullptr, Emit},
    {"cpu", required_argument, nullptr, CpuNames},
    {"pipeline", required_argument, nullptr, Pipeline},
    {"tiles", required_argument, nullptr, Tiles},
    {"threads", required_argument, nullptr, Threads},
    {"load-dialect-plugin", required_argument, nullptr, Plugin},
    {"help", no_argument, nullptr, Help},
    {nullptr, 0, nullptr, 0},
};

bool fail(const llvm::Twine &message) {
  llvm::errs() << "sparsam-compile: error: " << message << "\n";
  return false;
}

bool parseProduct(Options &options) {
  auto product = llvm::StringSwitch<std::optional<Product>>(optarg)
                     .Case("bundle", Product::Bundle)
                     .Case("shared-library", Product::SharedLibrary)
                     .Case("object", Product::Object)
                     .Default(std::nullopt);
  if (!product)
    return fail(llvm::Twine("--emit must be bundle, shared-library or object, and is '") +
                optarg + "'");
  options.product = *product;
  return true;
}

bool parseCpus(Options &options) {
  llvm::SmallVector<llvm::StringRef> names;
  llvm::StringRef(optarg).split(names, ',');
  for (llvm::StringRef name : names)
    options.cpus.push_back(name.trim().str());
  return true;
}

bool parseThreads(Options &options) {
  if (!llvm::StringRef(optarg).getAsInteger(10, options.threads) &&
      options.threads <= SPARSAM_MAX_THREADS)
    return true;
  return fail(llvm::Twine("--threads must be a number of at most ") +
              llvm::Twine(int(SPARSAM_MAX_THREADS)) + ", and is '" + optarg + "'");
}

bool parseOne(int code, Options &options) {
  switch (code) {
  case 'o':
    options.output = optarg;
    return true;
  case Emit:
    return parseProduct(options);
  case CpuNames:
    return parseCpus(options);
  case Pipeline:
    options.pipeline = optarg;
    return true;
  case Plugin:
    options.plugins.emplace_back(optarg);
    return true;
  case Tiles:
    options.tiles = optarg;
    return true;
  case Threads:
    return parseThreads(options);
  default:
    // getopt has said what is wrong.
    llvm::errs() << "try sparsam-compile --help\n";
    return false;
  }
}

llvm::StringRef getEnding(Product product) {
  switch (product) {
  case Product::Bundle:
    return ".sparsam";
  case Product::SharedLibrary:
    return ".so";
  case Product::Object:
    return ".o";
  }
  llvm_unreachable("a product of no kind");
}

bool checkEnding(const Options &options) {
  llvm::StringRef ending = getEnding(options.product);
  llvm::StringRef output = llvm::StringRef(options.output).rtrim('/');
  if (llvm::sys::path::filename(output) == ending)
    return fail("the output needs a name before " + ending + ", and is '" +
                options.output + "'");
  if (output.ends_with(ending))
    return true;
  return fail("the output must end in " + ending + ", and is '" + options.output +
              "'; a bundle ends in .sparsam, what --emit=shared-library writes in .so, "
              "what --emit=object writes in .o");
}

bool check(const Options &options, int argc, char **argv) {
  if (optind < argc)
    return fail(llvm::Twine("one input file is enough: '") + argv[optind] +
                "' is a second");
  if (options.output.empty())
    return fail("say where to write it: -o step.sparsam");
  if (!checkEnding(options))
    return false;
  if (options.product != Product::Bundle && options.cpus.size() > 1)
    return fail("a library is for one CPU, and --cpu names " +
                llvm::Twine(options.cpus.size()) + "; a bundle holds code for several");
  if (options.tiles.empty() && options.threads)
    return fail("--threads is of the sizes in a file: --tiles FILE");
  if (llvm::StringRef(options.tiles).contains('\''))
    return fail("--tiles takes no path with a quote in it");
  if (!options.tiles.empty() && options.pipeline)
    return fail("--tiles goes to the default pipeline; give the option tiles to "
                "sparsam-to-cpu in --pipeline");
  return true;
}

} // namespace

std::optional<Options> sparsam_compile::parseOptions(int argc, char **argv,
                                                     int &exitCode) {
  Options options;
  exitCode = 1;
  for (int code; (code = getopt_long(argc, argv, "o:h", longOptions, nullptr)) != -1;) {
    if (code == Help || code == 'h') {
      llvm::outs() << help;
      exitCode = 0;
      return std::nullopt;
    }
    if (!parseOne(code, options))
      return std::nullopt;
  }
  if (optind < argc)
    options.input = argv[optind++];
  if (!check(options, argc, argv))
    return std::nullopt;
  return options;
}
