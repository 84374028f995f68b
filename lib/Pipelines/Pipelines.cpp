#include "sparsam/Pipelines/Pipelines.h"

#include "Cleanup.h"
#include "sparsam/Conversion/Passes.h"
#include "sparsam/Transforms/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace mlir::sparsam;

/// Tensors that one-shot bufferization takes, to memrefs and calls on them.
static void addBufferization(OpPassManager &passes) {
  passes.addPass(createMarkWritablePass());
  passes.nest<func::FuncOp>().addPass(createCarryInPlacePass());
  passes.addPass(createCopyCarriedPass());
  OpPassManager &tensors = passes.nest<func::FuncOp>();
  tensors.addPass(bufferization::createEmptyTensorEliminationPass());
  passes.addPass(createCopyCarriedPass());
  passes.nest<func::FuncOp>().addPass(
      bufferization::createEmptyTensorToAllocTensorPass());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  passes.addPass(bufferization::createOneShotBufferizePass(options));
  addCleanup(passes.nest<func::FuncOp>());
  passes.addPass(createResultsToArgumentsPass());
  addCleanup(passes.nest<func::FuncOp>());
}

void sparsam::buildToCPUPipeline(OpPassManager &passes,
                                 const ToCPUPipelineOptions &options) {
  passes.addPass(createInlinerPass());
  passes.addPass(createSymbolDCEPass());
  passes.addPass(createLowerStoragePass());
  OpPassManager &tensors = passes.nest<func::FuncOp>();
  tensors.addPass(createUnfoldConvolutionsPass());
  tensors.addPass(createConvertElementwiseToLinalgPass());
  buildFusionPipeline(passes);
  addBufferization(passes);
  if (options.products == CPUProducts::SparseTensor) {
    passes.addPass(createToSparseTensorPass());
    passes.addPass(createSparsifyPass());
  }
  passes.addPass(createLowerDenseProductsPass());
  LowerSparseProductsPassOptions sparseProducts;
  sparseProducts.vectorBits = options.vectorBits;
  sparseProducts.cpu = options.cpu;
  sparseProducts.tiles = options.tiles;
  sparseProducts.threads = options.threads;
  sparseProducts.fuseEpilogues = options.fuseEpilogues;
  passes.addPass(createLowerSparseProductsPass(sparseProducts));
  passes.addNestedPass<func::FuncOp>(createRelaxFloatsPass());
  passes.addPass(createOutlineKernelsPass());
  passes.addNestedPass<func::FuncOp>(createGenericsToLoopsPass());
  passes.addPass(createPlanMemoryPass());
  OpPassManager &loops = passes.nest<func::FuncOp>();
  loops.addPass(createLowerAffinePass());
  addCleanup(loops);
}

void sparsam::buildCPUPipeline(OpPassManager &passes, const CPUPipelineOptions &options) {
  passes.addPass(createImportPass());
  passes.addPass(createFindParametersPass());
  ApplyStructurePassOptions structures;
  structures.structures = options.structures;
  passes.addPass(createApplyStructurePass(structures));
  passes.addPass(createExpandStoragePass());
  passes.addPass(createPropagatePass());
  buildToCPUPipeline(passes, options);
}

void sparsam::buildLowerToLLVMPipeline(OpPassManager &passes) {
  OpPassManager &functions = passes.nest<func::FuncOp>();
  functions.addPass(createStripAnnotationsPass());
  functions.addPass(createListDistinctPointersPass());
  functions.addPass(createExpandHalfPass());
  functions.addPass(createApproximateMathPass());
  // Integer powers; LLVM has its own of a floating-point base.
  ConvertMathToFuncsOptions powers;
  powers.minWidthOfFPowIExponent = 33;
  powers.convertCtlz = false;
  passes.addPass(createConvertMathToFuncs(powers));
  addCleanup(passes.nest<func::FuncOp>());
  passes.addPass(createConvertSCFToOpenMPPass());
  OpPassManager &memory = passes.nest<func::FuncOp>();
  memory.addPass(createInlineAllocaScopesPass());
  memory.addPass(memref::createExpandStridedMetadataPass());
  memory.addPass(createLowerAffinePass());
  // Before control flow: a stack scope that is left holds one block.
  passes.addPass(createFinalizeMemRefToLLVMConversionPass());
  OpPassManager &control = passes.nest<func::FuncOp>();
  control.addPass(createSCFToControlFlowPass());
  control.addPass(createConvertMathToLLVMPass());
  // Before vectors: it takes them apart.
  passes.addPass(createConvertMathToLibmPass());
  passes.addNestedPass<func::FuncOp>(createConvertVectorToLLVMPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createConvertOpenMPToLLVMPass());
  OpPassManager &lowered = passes.nest<LLVM::LLVMFuncOp>();
  lowered.addPass(createConvertIndexToLLVMPass());
  lowered.addPass(createArithToLLVMConversionPass());
  lowered.addPass(createUBToLLVMConversionPass());
  lowered.addPass(createReconcileUnrealizedCastsPass());
  addCleanup(lowered);
  lowered.addPass(createBytesForBooleansPass());
  lowered.addPass(createIntegersForBF16Pass());
  lowered.addPass(createRestoreNoAliasPass());
  passes.addPass(createExpandFMAPass());
}

void sparsam::registerPipelines() {
  PassPipelineRegistration<>("sparsam-fusion-pipeline",
                             "Fuse the work around products, on tensors",
                             buildFusionPipeline);
  PassPipelineRegistration<ToCPUPipelineOptions>(
      "sparsam-to-cpu", "Lower a step on tensors to loops and calls of the runtime",
      buildToCPUPipeline);
  PassPipelineRegistration<CPUPipelineOptions>(
      "sparsam-cpu-pipeline", "Compile an imported training step for the CPU",
      buildCPUPipeline);
  PassPipelineRegistration<>("sparsam-lower-to-llvm",
                             "Lower the output of sparsam-to-cpu to the LLVM dialect",
                             buildLowerToLLVMPipeline);
}
