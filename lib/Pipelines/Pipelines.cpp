#include "sparsam/Pipelines/Pipelines.h"

#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

void sparsam::registerPipelines() {
  PassPipelineRegistration<>("sparsam-fusion-pipeline",
                             "fuse the work around products, on tensors",
                             buildFusionPipeline);
}
