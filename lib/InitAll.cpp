#include "sparsam/InitAll.h"
#include "sparsam/Conversion/Bufferization.h"
#include "sparsam/Conversion/Passes.h"
#include "sparsam/IR/SparsamDialect.h"
#include "sparsam/Pipelines/Pipelines.h"
#include "sparsam/Structure/Structures.h.inc"
#include "sparsam/Transforms/Passes.h"

using namespace mlir;

void sparsam::registerAll(DialectRegistry &registry) {
  registry.insert<SparsamDialect>();
  registerStructuresOfTree(registry);
  registerBufferization(registry);
}

void sparsam::registerAllPasses() {
  // A pipeline may be registered once only, and more than one library may ask for it.
  [[maybe_unused]] static const bool done = [] {
    registerSparsamTransformsPasses();
    registerSparsamConversionPasses();
    registerPipelines();
    return true;
  }();
}
