#include "sparsam-c/Dialect.h"
#include "sparsam/IR/SparsamDialect.h"
#include "sparsam/InitAll.h"

#include "mlir/CAPI/Registration.h"

using namespace mlir;
using namespace mlir::sparsam;

static void insertDialect(MlirDialectRegistry registry) {
  registerAll(*unwrap(registry));
}

static MlirDialect loadDialect(MlirContext context) {
  DialectRegistry registry;
  registerAll(registry);
  unwrap(context)->appendDialectRegistry(registry);
  return wrap(unwrap(context)->getOrLoadDialect<SparsamDialect>());
}

static MlirStringRef getNamespace() {
  return wrap(SparsamDialect::getDialectNamespace());
}

// Not by upstream's macro: the dialect has no structures without its extensions.
MlirDialectHandle mlirGetDialectHandle__sparsam__() {
  static const MlirDialectRegistrationHooks hooks = {insertDialect, loadDialect,
                                                     getNamespace};
  return {&hooks};
}

void sparsamRegisterAllPasses() { registerAllPasses(); }
