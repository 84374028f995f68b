#ifndef SPARSAM_PYTHON_CORE_MODULE_H
#define SPARSAM_PYTHON_CORE_MODULE_H

#include "Diagnostics.h"
#include "sparsam/Analysis/Flops.h"
#include "sparsam/Conversion/ToCPU/TileCache.h"
#include "sparsam/IR/Structure.h"
#include "sparsam/Runtime/AheadOfTime.h"
#include "sparsam/Runtime/Program.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <mutex>
#include <optional>

namespace sparsam_python {

/// What becomes sparsam.CompileError in Python.
struct CompileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A context, and the one thread that may use it: diagnostics belong to a context,
/// and every call collects its own.
struct Context {
  mlir::MLIRContext mlir;
  std::mutex mutex;
  Context();
};

/// A coupled group of the parameters of a function: see _core.pyi.
struct Group {
  std::string name;
  int64_t size;
  std::vector<std::string> members;
  /// Why it cannot be sliced; empty where it can.
  std::string obstacle;
};

/// A structured product whose tile sizes can be chosen.
struct TunableProduct {
  mlir::sparsam::TileKey key;
  /// With the model's sizes.
  mlir::sparsam::TileSpace space;
  /// The types of the storage, on tensors: trainable ones and those of the pattern.
  std::vector<std::string> values, pattern;
  /// What a file of tile sizes has for it; none where it was not measured.
  std::optional<mlir::sparsam::KernelTiles> measured;
  /// Why the product cannot have these sizes; empty where it can.
  std::string obstacle;
};

/// An MLIR module with what was said about it so far. Clones share the context.
class Module {
public:
  static Module parse(const std::string &text, const std::string &name);

  Module clone();
  void run(const std::string &pipeline);
  std::string text(bool locations, bool generic);
  std::vector<mlir::sparsam::FunctionSignature> functions();
  mlir::sparsam::AttributeTable attributes();
  /// What the products of each function cost, by kind.
  std::vector<std::pair<std::string, mlir::sparsam::FlopCount>> flops();
  bool atBoundary();
  std::unique_ptr<mlir::sparsam::Program>
  compile(const mlir::sparsam::CompileOptions &options);

  /// Writes a bundle of one program, each module lowered for the CPU beside it, and of
  /// further files by name.
  static void writeBundle(const std::string &path,
                          const std::vector<std::pair<Module *, std::string>> &programs,
                          const std::map<std::string, std::string> &files);

  std::vector<Group> groups();

  /// The structured products whose tile sizes can be chosen, each kind once, on a CPU
  /// (this machine's where `cpu` is empty and the module names none), and what the file
  /// `tiles` has for each, if one is named. Throws std::invalid_argument where there is
  /// no such CPU, or the file cannot be read or is no whole file of tile sizes.
  std::vector<TunableProduct> products(const std::string &cpu, int64_t threads,
                                       const std::string &tiles);

  const std::vector<Message> &diagnostics() const { return messages; }
  const mlir::sparsam::PhaseTimes &passTimes() const { return times; }

private:
  Module(std::shared_ptr<Context> context) : context(std::move(context)) {}

  std::shared_ptr<Context> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<Message> messages;
  mlir::sparsam::PhaseTimes times;
};

/// Loads a shared library with structures of its own, for all modules parsed from now on.
/// Throws std::runtime_error where it is none.
void loadPlugin(const std::string &path);

/// Throws std::invalid_argument for a name that is no CPU's.
void checkCpu(const std::string &name);

/// Why index tensors are no pattern of a parameter of `shape`; empty if they are one.
std::string checkPattern(const std::string &structure, llvm::ArrayRef<int64_t> shape,
                         llvm::ArrayRef<llvm::ArrayRef<int64_t>> indices);

/// The text of a structure with its view for a parameter of `shape` written out; throws
/// std::invalid_argument where it does not parse or fit.
std::string pinnedStructure(const std::string &structure, llvm::ArrayRef<int64_t> shape);

/// What a parameter of `shape` of f32 costs under a structure; throws
/// std::invalid_argument where it does not parse, fit or know.
mlir::sparsam::StructureCost structureCost(const std::string &structure,
                                           llvm::ArrayRef<int64_t> shape);

/// What selection needs to know of a pattern on a parameter.
struct PatternInfo {
  /// The parameter's dimensions that are stacked layers, inputs and outputs.
  llvm::SmallVector<int64_t> stack, in, out;
  /// Inputs and outputs of what is kept or dropped as a whole.
  std::pair<int64_t, int64_t> unit;
  /// How many entries are stored, of all layers.
  int64_t entries;
};

/// Of a structure's text; none where it is no pattern. Throws std::invalid_argument where
/// it does not parse or fit.
std::optional<PatternInfo> describePattern(const std::string &structure,
                                           llvm::ArrayRef<int64_t> shape);

/// The text of the same structure at another density; none where it has no density that
/// is free.
std::optional<std::string> withDensity(const std::string &structure, double density);

/// The groups of a structure, one for each index tensor of its storage, and the shape of
/// what it leaves of a parameter of `shape`. No groups for structures that are not one
/// choice for several parameters. Throws std::invalid_argument.
std::pair<std::vector<std::string>, std::vector<int64_t>>
slicedAxes(const std::string &structure, llvm::ArrayRef<int64_t> shape);

} // namespace sparsam_python

#endif // SPARSAM_PYTHON_CORE_MODULE_H
