#include "Prepare.h"

#include "llvm/Passes/PassBuilder.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/DeadArgumentElimination.h"
#include "llvm/Transforms/IPO/MergeFunctions.h"

using namespace mlir::sparsam;

namespace {

bool startsThreads(const llvm::Function &function) {
  for (const llvm::BasicBlock &block : function)
    for (const llvm::Instruction &instruction : block)
      if (const auto *call = llvm::dyn_cast<llvm::CallInst>(&instruction))
        if (call->getCalledFunction() &&
            call->getCalledFunction()->getName() == "__kmpc_fork_call")
          return true;
  return false;
}

template <typename Pass> void run(llvm::Module &module, Pass pass) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  pass.run(module, modules);
}

} // namespace

void mlir::sparsam::internalize(llvm::Module &module,
                                llvm::function_ref<bool(llvm::StringRef)> isEntry) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration() || isEntry(function.getName()))
      continue;
    function.setLinkage(llvm::GlobalValue::InternalLinkage);
    // Nothing compares addresses; without this, merged functions stay as calls.
    function.setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    // A whole parallel loop gains nothing from being inlined, and a step of hundreds
    // of them in one function takes long to compile.
    if (startsThreads(function) &&
        !function.hasFnAttribute(llvm::Attribute::AlwaysInline))
      function.addFnAttr(llvm::Attribute::NoInline);
  }
}

void mlir::sparsam::inlineMarked(llvm::Module &module) {
  run(module, llvm::AlwaysInlinerPass());
}

void mlir::sparsam::dropUnreadArguments(llvm::Module &module) {
  run(module, llvm::DeadArgumentEliminationPass());
}

void mlir::sparsam::mergeEqualFunctions(llvm::Module &module) {
  run(module, llvm::MergeFunctionsPass());
}
