#include "MachineCode.h"
#include "Partition.h"
#include "Prepare.h"

#include "mlir/Support/LLVM.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"

#include <atomic>
#include <chrono>
#include <thread>

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Parts for each of several threads. How long one takes is known only roughly, so that a
/// thread that is done takes another one.
constexpr unsigned partsOfThread = 2;

double now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createMachine(const Cpu &cpu) {
  std::string error;
  llvm::Triple triple = Cpu::getTriple();
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return llvm::createStringError("LLVM has no backend for this machine: " + error);
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, cpu.name, cpu.adjustments, llvm::TargetOptions(), llvm::Reloc::PIC_,
      llvm::CodeModel::Small, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return llvm::createStringError("LLVM cannot generate code for this machine");
  return machine;
}

/// LLVM prefers 256-bit vectors on most machines with AVX-512 because of clock
/// rates of a decade ago; the kernels here are arithmetic over whole arrays.
void preferFullVectors(llvm::Module &module, const Cpu &cpu) {
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.addFnAttr("prefer-vector-width", std::to_string(cpu.vectorBits));
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopInterleaving = true;
  tuning.LoopVectorization = true;
  // It gathers the scalars that kernels compute addresses from into vectors, and takes
  // them out again; what has vectors has them already.
  tuning.SLPVectorization = false;
  // Vector loops are interleaved already; unrolling them again doubles the code and
  // the time to compile it.
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
generateCode(llvm::Module &module, llvm::TargetMachine &machine) {
  SmallVector<char, 0> bytes;
  {
    llvm::raw_svector_ostream stream(bytes);
    llvm::legacy::PassManager passes;
    llvm::MCContext *unused = nullptr;
    if (machine.addPassesToEmitMC(passes, unused, stream, /*DisableVerify=*/true))
      return llvm::createStringError("the backend cannot emit object code");
    passes.run(module);
  }
  return std::make_unique<llvm::SmallVectorMemoryBuffer>(
      std::move(bytes), module.getModuleIdentifier(), /*RequiresNullTerminator=*/false);
}

struct CompiledPart {
  std::unique_ptr<llvm::MemoryBuffer> object;
  llvm::Error error = llvm::Error::success();
  double optimizeSeconds = 0, generateSeconds = 0;
};

CompiledPart compilePart(const Partition &partition, const Cpu &cpu, unsigned index) {
  CompiledPart part;
  llvm::LLVMContext context;
  auto machine = createMachine(cpu);
  auto module = partition.read(index, context);
  if (!machine || !module) {
    part.error = llvm::joinErrors(machine.takeError(), module.takeError());
    return part;
  }
  double start = now();
  optimize(**module, **machine);
  double optimized = now();
  auto object = generateCode(**module, **machine);
  part.optimizeSeconds = optimized - start;
  part.generateSeconds = now() - optimized;
  if (object)
    part.object = std::move(*object);
  else
    part.error = object.takeError();
  return part;
}

} // namespace

llvm::Expected<ObjectFiles>
sparsam::compileForCpu(std::unique_ptr<llvm::Module> module, const Cpu &cpu,
                       llvm::function_ref<bool(StringRef)> isEntry, unsigned threads,
                       PhaseTimes &times) {
  auto machine = createMachine(cpu);
  if (!machine)
    return machine.takeError();
  module->setDataLayout((*machine)->createDataLayout());
  module->setTargetTriple((*machine)->getTargetTriple());
  preferFullVectors(*module, cpu);

  double start = now();
  internalize(*module, isEntry);
  inlineMarked(*module);
  dropUnreadArguments(*module);
  mergeEqualFunctions(*module);
  propagateNoAlias(*module);
  if (threads == 0)
    threads = std::max(1u, std::thread::hardware_concurrency());
  Partition partition(*module, threads == 1 ? 1 : threads * partsOfThread);
  module.reset();
  double split = now();
  times.emplace_back("prepare", split - start);

  std::vector<CompiledPart> parts(partition.size());
  std::atomic<unsigned> next = 0;
  auto work = [&] {
    for (unsigned part = next++; part < parts.size(); part = next++)
      parts[part] = compilePart(partition, cpu, part);
  };
  std::vector<std::thread> workers;
  for (size_t i = 1; i < std::min<size_t>(threads, parts.size()); ++i)
    workers.emplace_back(work);
  work();
  for (std::thread &worker : workers)
    worker.join();

  ObjectFiles objects;
  llvm::Error error = llvm::Error::success();
  for (CompiledPart &part : parts) {
    error = llvm::joinErrors(std::move(error), std::move(part.error));
    objects.push_back(std::move(part.object));
  }
  if (error)
    return error;
  // The threads work at the same time: the share of each phase in what passed.
  double optimize = 0, generate = 0;
  for (const CompiledPart &part : parts) {
    optimize += part.optimizeSeconds;
    generate += part.generateSeconds;
  }
  double passed = now() - split;
  double sum = std::max(optimize + generate, 1e-9);
  times.emplace_back("optimize", passed * optimize / sum);
  times.emplace_back("generate code", passed * generate / sum);
  return objects;
}
