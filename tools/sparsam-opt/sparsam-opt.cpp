#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "sparsam/InitAll.h"

#include "llvm/Support/CommandLine.h"

/// Messages name the place in the source. The operation as text, which can be pages,
/// comes with them only where --mlir-print-op-on-diagnostic asks for it: MLIR's default
/// is on.
static void printNoOperationsOnDiagnostics() {
  mlir::registerMLIRContextCLOptions();
  auto &options = llvm::cl::getRegisteredOptions();
  if (auto found = options.find("mlir-print-op-on-diagnostic"); found != options.end())
    static_cast<llvm::cl::opt<bool> *>(found->second)->setInitialValue(false);
}

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  mlir::sparsam::registerAll(registry);
  mlir::sparsam::registerAllPasses();
  printNoOperationsOnDiagnostics();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Sparsam's optimizer driver\n", registry));
}
