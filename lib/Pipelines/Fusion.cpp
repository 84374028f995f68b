#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "sparsam/Conversion/Passes.h"
#include "sparsam/Pipelines/Pipelines.h"

using namespace mlir;

static void cleanUp(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void sparsam::buildFusionPipeline(OpPassManager &pm) {
  cleanUp(pm);
  pm.addNestedPass<func::FuncOp>(createCropWindowsPass());
  pm.addPass(createLinalgFoldUnitExtentDimsPass());
  cleanUp(pm);
  OpPassManager &function = pm.nest<func::FuncOp>();
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
  cleanUp(pm);
  pm.addPass(createLinalgFoldUnitExtentDimsPass());
  cleanUp(pm);
  pm.addNestedPass<func::FuncOp>(createFuseSiblingsPass());
  pm.addNestedPass<func::FuncOp>(createSetDestinationsPass());
}
