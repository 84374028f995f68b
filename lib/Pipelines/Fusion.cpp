#include "Cleanup.h"

#include "mlir/Dialect/Linalg/Passes.h"
#include "sparsam/Conversion/Passes.h"
#include "sparsam/Pipelines/Pipelines.h"

using namespace mlir;

void sparsam::buildFusionPipeline(OpPassManager &pm) {
  OpPassManager &function = pm.nest<func::FuncOp>();
  addCleanup(function);
  function.addPass(createCropWindowsPass());
  function.addPass(createLinalgFoldUnitExtentDimsPass());
  addCleanup(function);
  function.addPass(createFoldReshapesPass());
  function.addPass(createCSEPass());
  function.addPass(createFoldTransposesPass());
  // A folded transpose lets the reshapes on both of its sides meet.
  function.addPass(createFoldReshapesPass());
  function.addPass(createCSEPass());
  function.addPass(createFuseElementwisePass());
  // What only permutes now and did more before.
  function.addPass(createFoldTransposesPass());
  function.addPass(createFoldReshapesPass());
  addCleanup(function);
  function.addPass(createLinalgFoldUnitExtentDimsPass());
  addCleanup(function);
  function.addPass(createFuseSiblingsPass());
  function.addPass(createSetDestinationsPass());
}
