#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "sparsam/InitAll.h"

extern "C" mlir::DialectPluginLibraryInfo mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "Sparsam", "0.1",
          [](mlir::DialectRegistry *registry) { mlir::sparsam::registerAll(*registry); }};
}

extern "C" mlir::PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "Sparsam", "0.1",
          [] { mlir::sparsam::registerAllPasses(); }};
}
