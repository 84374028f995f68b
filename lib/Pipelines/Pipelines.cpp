#include "sparsam/Pipelines/Pipelines.h"

#include "sparsam/Conversion/Passes.h"
#include "sparsam/Transforms/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::sparsam;

static void addCleanup(OpPassManager &passes) {
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

/// Tensors that one-shot bufferization takes, to memrefs and calls on them.
static void addBufferization(OpPassManager &passes) {
  passes.addPass(createMarkWritablePass());
  passes.addNestedPass<func::FuncOp>(createCarryInPlacePass());
  passes.addPass(bufferization::createEmptyTensorEliminationPass());
  passes.addPass(bufferization::createEmptyTensorToAllocTensorPass());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  passes.addPass(bufferization::createOneShotBufferizePass(options));
  addCleanup(passes);
  passes.addPass(createResultsToArgumentsPass());
  addCleanup(passes);
}

void sparsam::buildToCPUPipeline(OpPassManager &passes,
                                 const ToCPUPipelineOptions &options) {
  passes.addPass(createInlinerPass());
  passes.addPass(createSymbolDCEPass());
  passes.addPass(createLowerStoragePass());
  passes.addNestedPass<func::FuncOp>(createUnfoldConvolutionsPass());
  passes.addPass(createConvertElementwiseToLinalgPass());
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
  passes.addPass(createRelaxFloatsPass());
  passes.addPass(createOutlineKernelsPass());
  passes.addNestedPass<func::FuncOp>(createGenericsToLoopsPass());
  passes.addPass(createPlanMemoryPass());
  passes.addPass(createLowerAffinePass());
  addCleanup(passes);
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
  passes.addPass(createExpandHalfPass());
  passes.addPass(createApproximateMathPass());
  // Integer powers; LLVM has its own of a floating-point base.
  ConvertMathToFuncsOptions powers;
  powers.minWidthOfFPowIExponent = 33;
  powers.convertCtlz = false;
  passes.addPass(createConvertMathToFuncs(powers));
  addCleanup(passes);
  passes.addPass(createConvertSCFToOpenMPPass());
  passes.addPass(createInlineAllocaScopesPass());
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createLowerAffinePass());
  // Before control flow: a stack scope that is left holds one block.
  passes.addPass(createFinalizeMemRefToLLVMConversionPass());
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertMathToLLVMPass());
  // Before vectors: it takes them apart.
  passes.addPass(createConvertMathToLibmPass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createConvertIndexToLLVMPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createConvertOpenMPToLLVMPass());
  passes.addPass(createUBToLLVMConversionPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
  addCleanup(passes);
  passes.addPass(createBytesForBooleansPass());
  passes.addPass(createIntegersForBF16Pass());
  passes.addNestedPass<LLVM::LLVMFuncOp>(createRestoreNoAliasPass());
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
