// A module at the boundary to object files.

#include "Objects.h"
#include "Prepare.h"
#include "sparsam/Runtime/Runtime.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/IRBuilder.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// The parameters of private functions that are marked `llvm.noalias`, as the
/// positions of their pointers in the lowered function. The lowering of functions
/// drops the mark from memrefs, which become several parameters.
llvm::StringMap<llvm::SmallVector<unsigned>> distinctPointers(ModuleOp module) {
  llvm::StringMap<llvm::SmallVector<unsigned>> positions;
  for (auto function : module.getOps<func::FuncOp>()) {
    unsigned position = 0;
    for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
      auto memref = dyn_cast<MemRefType>(type);
      // A descriptor: the pointer that was allocated, the one to use, the offset,
      // extents and strides.
      if (memref && function.getArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName()))
        positions[function.getName()].push_back(position + 1);
      position += memref ? 3 + 2 * memref.getRank() : 1;
    }
  }
  return positions;
}

void markDistinct(llvm::Module &module,
                  const llvm::StringMap<llvm::SmallVector<unsigned>> &positions) {
  for (const auto &entry : positions)
    if (llvm::Function *function = module.getFunction(entry.getKey()))
      for (unsigned position : entry.getValue())
        if (position < function->arg_size() &&
            function->getArg(position)->getType()->isPointerTy())
          function->getArg(position)->addAttr(llvm::Attribute::NoAlias);
}

/// A function that takes one array of descriptor pointers, since C++ cannot call a
/// function of a number of arguments that is known at run time only.
void addEntry(llvm::Module &module, StringRef name) {
  llvm::Function *callee = module.getFunction(("_mlir_ciface_" + name).str());
  llvm::LLVMContext &context = module.getContext();
  auto *pointer = llvm::PointerType::getUnqual(context);
  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer}, false);
  auto *entry = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage,
                                       entryPrefix + name, module);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "", entry));
  llvm::SmallVector<llvm::Value *> arguments;
  for (unsigned i = 0; i < callee->arg_size(); ++i) {
    llvm::Value *slot = builder.CreateConstGEP1_64(pointer, entry->getArg(0), i);
    arguments.push_back(builder.CreateLoad(pointer, slot));
  }
  builder.CreateCall(callee, arguments);
  builder.CreateRetVoid();
  // Each step of the way down passes every word of every descriptor: a thousand
  // arguments, which take seconds to compile as a call and vanish without.
  callee->addFnAttr(llvm::Attribute::AlwaysInline);
  module.getFunction(name)->addFnAttr(llvm::Attribute::AlwaysInline);
}

/// The module as LLVM IR, with an entry for each function.
llvm::Expected<std::unique_ptr<llvm::Module>>
translate(ModuleOp module, const Cpu &cpu, llvm::LLVMContext &context,
          const CompileOptions &options, llvm::ArrayRef<ProgramFunction> functions,
          PhaseTimes &times) {
  OwningOpRef<ModuleOp> lowered(module.clone());
  (*lowered)->setAttr(cpuAttrName, StringAttr::get(module.getContext(), cpu.spelling));
  {
    Phase phase(times, "lower");
    if (failed(runPipeline(*lowered, options.pipeline)))
      return llvm::createStringError("lowering to the LLVM dialect failed");
  }
  Phase phase(times, "translate");
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(*lowered, context, "sparsam", /*disableVerification=*/true);
  if (!translated)
    return llvm::createStringError("translation to LLVM IR failed");
  for (const ProgramFunction &function : functions) {
    if (!translated->getFunction("_mlir_ciface_" + function.name))
      return llvm::createStringError(
          "lowering left function '%s' without its C interface", function.name.c_str());
    addEntry(*translated, function.name);
    if (options.profile)
      addProfiling(*translated->getFunction(function.name));
  }
  markDistinct(*translated, distinctPointers(module));
  return translated;
}

} // namespace

std::vector<std::string> sparsam::requiredFeatures(const Cpu &cpu) {
  std::vector<std::string> required;
  for (const char *const *feature = sparsam_cpu_features(); *feature; ++feature)
    if (cpu.has(*feature))
      required.emplace_back(*feature);
  return required;
}

llvm::Expected<CompiledObjects> sparsam::compileObjects(ModuleOp module, const Cpu &cpu,
                                                        const CompileOptions &options,
                                                        PhaseTimes &times,
                                                        FinishModule finish) {
  auto functions = describeProgram(module);
  if (!functions)
    return functions.takeError();
  llvm::LLVMContext context;
  auto translated = translate(module, cpu, context, options, *functions, times);
  if (!translated)
    return translated.takeError();
  std::vector<std::string> added;
  if (finish)
    added = finish(**translated, *functions);
  auto isEntry = [&](StringRef name) {
    return finish ? llvm::is_contained(added, name) : name.starts_with(entryPrefix);
  };
  auto files =
      compileForCpu(std::move(*translated), cpu, isEntry, options.threads, times);
  if (!files)
    return files.takeError();
  return CompiledObjects{std::move(*functions), std::move(*files)};
}
