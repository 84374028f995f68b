#include "Band.h"
#include "LoRAXS.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"

extern "C" mlir::DialectPluginLibraryInfo mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "Extension", "1", [](mlir::DialectRegistry *registry) {
            mlir::sparsam::registerBand(*registry);
            mlir::sparsam::registerLoRAXS(*registry);
          }};
}
