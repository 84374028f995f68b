#include "sparsam/InitAll.h"
#include "sparsam/Conversion/Bufferization.h"
#include "sparsam/Conversion/Passes.h"
#include "sparsam/IR/SparsamDialect.h"
#include "sparsam/Pipelines/Pipelines.h"
#include "sparsam/Structure/LowRank/LowRank.h"
#include "sparsam/Structure/NM/NM.h"
#include "sparsam/Transforms/Passes.h"

using namespace mlir;

void sparsam::registerAll(DialectRegistry &registry) {
  registry.insert<SparsamDialect>();
  registerNM(registry);
  registerLowRank(registry);
  registerBufferization(registry);
}

void sparsam::registerAllPasses() {
  registerSparsamTransformsPasses();
  registerSparsamConversionPasses();
  registerPipelines();
}
