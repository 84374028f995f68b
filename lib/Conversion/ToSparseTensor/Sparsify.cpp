// Functions on sparse tensors become loops, by the sparsification of upstream, which sees
// nothing but them.
#include "ArgumentLayouts.h"

#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/SparseTensor/IR/SparseTensor.h"
#include "mlir/Dialect/SparseTensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/SparseTensor/Transforms/Passes.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_SPARSIFYPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

/// Serial: upstream makes loops parallel that reduce into one place. And without its
/// runtime library, which some of the encodings need not be passed to.
static void buildSparsification(OpPassManager &passes) {
  passes.addNestedPass<func::FuncOp>(createLinalgGeneralizeNamedOpsPass());
  SparsificationOptions loops(SparseParallelizationStrategy::kNone,
                              SparseEmitStrategy::kFunctional, /*enableRT=*/false);
  passes.addPass(createSparsificationAndBufferizationPass(
      getBufferizationOptionsForSparsification(/*analysisOnly=*/false), loops,
      /*createSparseDeallocs=*/false, /*enableRuntimeLibrary=*/false,
      /*enableBufferInitialization=*/false, /*vectorLength=*/0,
      /*enableVLAVectorization=*/false, /*enableSIMDIndex32=*/false,
      /*enableGPULibgen=*/false, SparseEmitStrategy::kFunctional,
      SparseParallelizationStrategy::kNone));
  passes.addPass(createStorageSpecifierToLLVMPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

static bool isOnSparseTensors(func::FuncOp function) {
  return function
      .walk([](Operation *op) {
        return isa<sparse_tensor::SparseTensorDialect>(op->getDialect())
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether `memref` is a view of an argument of its function.
static bool isArgument(Value memref) {
  while (auto view = memref.getDefiningOp<ViewLikeOpInterface>())
    memref = view.getViewSource();
  return isa<BlockArgument>(memref);
}

namespace {
struct SparsifyPass : sparsam::impl::SparsifyPassBase<SparsifyPass> {
  using SparsifyPassBase::SparsifyPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    OpPassManager passes(ModuleOp::getOperationName());
    buildSparsification(passes);
    passes.getDependentDialects(registry);
    sparse_tensor::registerBufferizableOpInterfaceExternalModels(registry);
  }

  void runOnOperation() override {
    SmallVector<func::FuncOp> functions;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (isOnSparseTensors(function))
        functions.push_back(function);
    for (func::FuncOp function : functions) {
      if (failed(sparsify(function)))
        return signalPassFailure();
      ++numFunctions;
    }
  }

  LogicalResult sparsify(func::FuncOp function) {
    for (Type type : function.getFunctionType().getInputs())
      if (isa<TensorType>(type))
        return function.emitOpError()
               << "takes " << type
               << "; expected memrefs, as sparsam-to-sparse-tensor makes them of "
                  "products "
                  "after bufferization";
    ArgumentLayouts layouts(function);
    OpPassManager passes(ModuleOp::getOperationName());
    buildSparsification(passes);
    // A module of its own: what is next to it would be sparsified and bufferized, too.
    auto alone = ModuleOp::create(function.getLoc());
    getOperation().push_back(alone);
    auto next = Block::iterator(function->getNextNode());
    function->moveBefore(alone.getBody(), alone.getBody()->end());
    LogicalResult result = runPipeline(passes, alone);
    if (succeeded(result) && isOnSparseTensors(function))
      result = function.emitOpError("is beyond upstream's sparsification");
    function->moveBefore(getOperation().getBody(), next);
    alone.erase();
    if (failed(result) || failed(dropResults(function)))
      return failure();
    return layouts.restore();
  }

  /// Results were written in place.
  LogicalResult dropResults(func::FuncOp function) {
    if (function.getNumResults() == 0)
      return success();
    auto terminator = cast<func::ReturnOp>(function.front().getTerminator());
    for (Value result : terminator.getOperands())
      if (!isArgument(result))
        return function.emitOpError("returns what is not written over an argument");
    terminator.getOperandsMutable().clear();
    function.setType(FunctionType::get(&getContext(), function.getArgumentTypes(), {}));
    std::optional<SymbolTable::UseRange> uses =
        SymbolTable::getSymbolUses(function, getOperation());
    if (!uses)
      return function.emitOpError("has users that cannot be told");
    for (SymbolTable::SymbolUse use : llvm::to_vector(*uses)) {
      auto call = dyn_cast<func::CallOp>(use.getUser());
      if (!call || !call->use_empty())
        return use.getUser()->emitOpError()
               << "uses what @" << function.getName()
               << " returns; expected what it writes over its arguments";
      OpBuilder builder(call);
      func::CallOp::create(builder, call.getLoc(), function, call.getOperands());
      call.erase();
    }
    return success();
  }
};
} // namespace
