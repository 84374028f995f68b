#include "sparsam/Target/Cpu.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

#include <unistd.h>

using namespace mlir;
using namespace mlir::sparsam;

namespace {

constexpr llvm::StringLiteral host = "host";

const llvm::Target *findTarget(std::string &error) {
  static const bool initialized = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  (void)initialized;
  return llvm::TargetRegistry::lookupTarget(Cpu::getTriple(), error);
}

std::string hostAdjustments() {
  SmallVector<std::string> texts;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    texts.push_back(((feature.second ? "+" : "-") + feature.first()).str());
  llvm::sort(texts);
  return llvm::join(texts, ",");
}

/// Some names for a message: those of these that the architecture has.
std::string someNames(const llvm::MCSubtargetInfo &subtarget) {
  constexpr llvm::StringLiteral wellKnown[] = {
      "x86-64",   "x86-64-v2",      "x86-64-v3",  "x86-64-v4", "haswell",
      "znver3",   "skylake-avx512", "znver4",     "generic",   "cortex-a76",
      "apple-m1", "neoverse-n1",    "neoverse-v2"};
  std::string text = host.str();
  for (StringRef name : wellKnown)
    if (subtarget.isCPUStringValid(name))
      text += (", " + name).str();
  return text;
}

int64_t widestVector(const Cpu &cpu) {
  return cpu.has("avx512f") ? 512 : cpu.has("avx2") ? 256 : 128;
}

/// This machine's, where it says so: in some containers and virtual machines it does not.
void findCaches(Cpu &cpu) {
#if defined(_SC_LEVEL1_DCACHE_SIZE) && defined(_SC_LEVEL2_CACHE_SIZE)
  if (int64_t bytes = sysconf(_SC_LEVEL1_DCACHE_SIZE); bytes > 0)
    cpu.l1Bytes = bytes;
  if (int64_t bytes = sysconf(_SC_LEVEL2_CACHE_SIZE); bytes > cpu.l1Bytes)
    cpu.l2Bytes = bytes;
#endif
}

} // namespace

llvm::Triple Cpu::getTriple() { return llvm::Triple(llvm::sys::getProcessTriple()); }

bool Cpu::has(StringRef feature) const { return llvm::binary_search(features, feature); }

bool Cpu::hasFusedMultiplyAdd() const {
  return !getTriple().isX86() || has("fma") || has("fma4");
}

llvm::Expected<Cpu> Cpu::get(StringRef name) {
  std::string error;
  const llvm::Target *target = findTarget(error);
  if (!target)
    return llvm::createStringError("LLVM has no backend for this machine: " + error);
  Cpu cpu;
  cpu.spelling = name.str();
  cpu.name = name == host ? llvm::sys::getHostCPUName().str() : name.str();
  if (name == host)
    cpu.adjustments = hostAdjustments();
  auto create = [&](StringRef known, StringRef adjustments) {
    return std::unique_ptr<llvm::MCSubtargetInfo>(
        target->createMCSubtargetInfo(getTriple(), known, adjustments));
  };
  // Creating one for an unknown name prints to standard error.
  if (auto any = create("", ""); !any->isCPUStringValid(cpu.name))
    return llvm::createStringError("there is no CPU '" + name +
                                   "'; some that there are: " + someNames(*any));
  auto subtarget = create(cpu.name, cpu.adjustments);
  for (const llvm::SubtargetFeatureKV &feature : subtarget->getEnabledProcessorFeatures())
    cpu.features.emplace_back(feature.Key);
  llvm::sort(cpu.features);
  if (getTriple().isX86() && !cpu.has("64bit"))
    return llvm::createStringError("CPU '" + name + "' has no 64-bit mode; take one of " +
                                   someNames(*subtarget));
  cpu.vectorBits = widestVector(cpu);
  cpu.halvesVectors = cpu.name == "znver4";
  findCaches(cpu);
  return cpu;
}

llvm::Expected<Cpu> Cpu::get(StringRef wanted, ModuleOp module) {
  if (!wanted.empty())
    return get(wanted);
  auto known = module->getAttrOfType<StringAttr>(cpuAttrName);
  return get(known ? known.getValue() : StringRef(host));
}
