#include "sparsam/Pipelines/Pipelines.h"

void mlir::sparsam::registerPipelines() {}
