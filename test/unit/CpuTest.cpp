// CPUs by name, and what this machine has as the runtime and as LLVM see it.

#include "sparsam/Target/Cpu.h"
#include "sparsam/Runtime/Runtime.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/TargetParser/Host.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::sparsam;

namespace {

Cpu find(StringRef name) {
  llvm::Expected<Cpu> cpu = Cpu::get(name);
  EXPECT_TRUE(bool(cpu)) << llvm::toString(cpu.takeError());
  return cpu ? *cpu : Cpu();
}

std::string refusal(StringRef name) {
  llvm::Expected<Cpu> cpu = Cpu::get(name);
  return cpu ? "none" : llvm::toString(cpu.takeError());
}

TEST(CpuTest, RuntimeAgreesWithLLVM) {
  llvm::StringMap<bool> known = llvm::sys::getHostCPUFeatures();
  unsigned compared = 0;
  for (const char *const *feature = sparsam_cpu_features(); *feature; ++feature) {
    auto entry = known.find(*feature);
    if (entry == known.end())
      continue;
    EXPECT_EQ(sparsam_cpu_has(*feature) != 0, entry->second) << *feature;
    ++compared;
  }
  EXPECT_GT(compared, 5u);
  EXPECT_FALSE(sparsam_cpu_has("flux"));
}

TEST(CpuTest, HostIsThisMachine) {
  Cpu host = find("host");
  EXPECT_EQ(host.name, llvm::sys::getHostCPUName());
  EXPECT_EQ(host.spelling, "host");
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    if (!feature.second)
      EXPECT_FALSE(host.has(feature.first())) << feature.first().str();
  EXPECT_EQ(host.vectorBits == 512, host.has("avx512f"));
}

TEST(CpuTest, UnknownNames) {
  EXPECT_EQ(refusal("i9").find("there is no CPU 'i9'; some that there are: host, "), 0u);
  EXPECT_NE(refusal("").find("generic"), std::string::npos);
}

TEST(CpuTest, ModulesSayWhatTheyAreFor) {
  MLIRContext context;
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  EXPECT_EQ(llvm::cantFail(Cpu::get("", *module)).spelling, "host");
  (*module)->setAttr(cpuAttrName, StringAttr::get(&context, "generic"));
  EXPECT_EQ(llvm::cantFail(Cpu::get("", *module)).name, "generic");
  EXPECT_EQ(llvm::cantFail(Cpu::get("host", *module)).spelling, "host");
}

#if defined(__x86_64__)
TEST(CpuTest, Widths) {
  for (auto [name, bits] : {std::pair("x86-64", 128), std::pair("x86-64-v3", 256),
                            std::pair("x86-64-v4", 512), std::pair("znver3", 256),
                            std::pair("znver4", 512), std::pair("skylake-avx512", 512)})
    EXPECT_EQ(find(name).vectorBits, bits) << name;
  EXPECT_TRUE(find("znver4").halvesVectors);
  EXPECT_FALSE(find("znver5").halvesVectors);
  EXPECT_TRUE(find("x86-64-v3").has("fma"));
  for (auto [name, fused] :
       {std::pair("x86-64", false), std::pair("x86-64-v2", false),
        std::pair("sandybridge", false), std::pair("x86-64-v3", true),
        std::pair("bdver1", true), std::pair("skylake-avx512", true)})
    EXPECT_EQ(find(name).hasFusedMultiplyAdd(), fused) << name;
  EXPECT_FALSE(find("x86-64-v3").has("avx512f"));
  EXPECT_NE(refusal("pentium4").find("has no 64-bit mode"), std::string::npos);
}
#endif

} // namespace
