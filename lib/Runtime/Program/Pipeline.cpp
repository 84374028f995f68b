// Registration of everything a program needs, and running pipeline text.

#include "sparsam/InitAll.h"
#include "sparsam/Runtime/Program.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"

#include <chrono>
#include <mutex>

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Adds up the seconds of each pass by its name; passes on functions may run on
/// several threads at once.
class PassTimes : public PassInstrumentation {
public:
  explicit PassTimes(PhaseTimes &times) : times(times) {}

  void runBeforePass(Pass *pass, Operation *) override {
    std::lock_guard<std::mutex> lock(mutex);
    started[pass] = std::chrono::steady_clock::now();
  }
  void runAfterPass(Pass *pass, Operation *) override { add(pass); }
  void runAfterPassFailed(Pass *pass, Operation *) override { add(pass); }

private:
  void add(Pass *pass) {
    std::lock_guard<std::mutex> lock(mutex);
    std::chrono::duration<double> passed =
        std::chrono::steady_clock::now() - started[pass];
    // An adaptor, whose time is that of the passes inside it.
    if (pass->getArgument().empty())
      return;
    auto entry = llvm::find_if(times, [&](const auto &existing) {
      return StringRef(existing.first) == pass->getArgument();
    });
    if (entry == times.end())
      times.emplace_back(pass->getArgument().str(), passed.count());
    else
      entry->second += passed.count();
  }

  PhaseTimes &times;
  std::mutex mutex;
  llvm::DenseMap<Pass *, std::chrono::steady_clock::time_point> started;
};

} // namespace

namespace {

/// The plugins of the process. A library stays loaded, so that none leaves the list.
struct Plugins {
  std::mutex mutex;
  std::vector<DialectPlugin> loaded;

  static Plugins &get() {
    static Plugins plugins;
    return plugins;
  }
};

} // namespace

void sparsam::registerProgramDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllToLLVMIRTranslations(registry);
  registerAll(registry);
  Plugins &plugins = Plugins::get();
  std::lock_guard<std::mutex> lock(plugins.mutex);
  for (const DialectPlugin &plugin : plugins.loaded)
    plugin.registerDialectRegistryCallbacks(registry);
}

llvm::Error sparsam::loadDialectPlugin(StringRef path) {
  llvm::Expected<DialectPlugin> plugin = DialectPlugin::load(path.str());
  if (!plugin)
    return plugin.takeError();
  Plugins &plugins = Plugins::get();
  std::lock_guard<std::mutex> lock(plugins.mutex);
  plugins.loaded.push_back(std::move(*plugin));
  return llvm::Error::success();
}

void sparsam::registerProgramPasses() {
  static const bool done = [] {
    mlir::registerAllPasses();
    sparsam::registerAllPasses();
    return true;
  }();
  (void)done;
}

LogicalResult sparsam::runPipeline(ModuleOp module, StringRef text, PhaseTimes *times) {
  text = text.trim();
  std::string anchored = text.starts_with("builtin.module(")
                             ? text.str()
                             : ("builtin.module(" + text + ")").str();
  std::string errors;
  llvm::raw_string_ostream errorStream(errors);
  // The overload that takes an anchor; the one that adds to a given pass manager
  // would nest a module in the module, and silently run nothing.
  FailureOr<OpPassManager> parsed = parsePassPipeline(anchored, errorStream);
  if (failed(parsed))
    return module.emitError() << "cannot parse the pipeline '" << text
                              << "': " << StringRef(errors).trim();
  PassManager passes(module.getContext());
  static_cast<OpPassManager &>(passes) = std::move(*parsed);
  if (times)
    passes.addInstrumentation(std::make_unique<PassTimes>(*times));
  return passes.run(module);
}
