// What the JIT does to LLVM IR before LLVM optimises it.

#include "../../lib/Runtime/Program/Partition.h"
#include "../../lib/Runtime/Program/Prepare.h"
#include "sparsam/Bundle/Signature.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

using namespace mlir::sparsam;

namespace {

std::unique_ptr<llvm::Module> parse(const std::string &text, llvm::LLVMContext &context) {
  llvm::SMDiagnostic diagnostic;
  auto module = llvm::parseAssemblyString(text, diagnostic, context);
  if (!module)
    diagnostic.print("test", llvm::errs());
  return module;
}

/// A parallel loop that copies from one captured pointer to the other.
std::string copyLoop(llvm::StringRef name, llvm::StringRef attributes) {
  std::string text = R"(
define void @NAME(ptr ATTRIBUTES %from, ptr ATTRIBUTES %to) {
  %captured = alloca { ptr, ptr }
  %first = getelementptr { ptr, ptr }, ptr %captured, i32 0, i32 0
  store ptr %from, ptr %first
  %second = getelementptr { ptr, ptr }, ptr %captured, i32 0, i32 1
  store ptr %to, ptr %second
  call void (ptr, i32, ptr, ...) @__kmpc_fork_call(ptr null, i32 1, ptr @NAME.body, ptr %captured)
  ret void
}
define internal void @NAME.body(ptr %thread, ptr %team, ptr %captured) {
  %first = getelementptr { ptr, ptr }, ptr %captured, i32 0, i32 0
  %from = load ptr, ptr %first
  %second = getelementptr { ptr, ptr }, ptr %captured, i32 0, i32 1
  %to = load ptr, ptr %second
  %at = getelementptr float, ptr %from, i64 7
  %value = load float, ptr %at
  store float %value, ptr %to
  ret void
}
)";
  for (auto [key, value] : {std::pair("NAME", name), std::pair("ATTRIBUTES", attributes)})
    for (size_t at; (at = text.find(key)) != std::string::npos;)
      text.replace(at, strlen(key), value.str());
  return text;
}

constexpr const char *fork =
    "declare void @__kmpc_fork_call(ptr, i32, ptr, ...)\n"
    "define void @sparsam_entry_f(ptr %a, ptr %b) {\n"
    "  call void @one(ptr %a, ptr %b)\n  call void @two(ptr %b, ptr %a)\n  ret void\n}\n";

/// Whether the load and the store of a loop's body are known not to meet.
bool areDistinct(llvm::Module &module, llvm::StringRef name) {
  llvm::Instruction *load = nullptr, *store = nullptr;
  for (llvm::Instruction &instruction : llvm::instructions(*module.getFunction(name))) {
    if (llvm::isa<llvm::LoadInst>(instruction) && instruction.getType()->isFloatTy())
      load = &instruction;
    if (llvm::isa<llvm::StoreInst>(instruction))
      store = &instruction;
  }
  auto *scope = load->getMetadata(llvm::LLVMContext::MD_alias_scope);
  auto *excluded = store->getMetadata(llvm::LLVMContext::MD_noalias);
  return scope && excluded && scope->getOperand(0) == excluded->getOperand(0);
}

TEST(NoAlias, ReachesTheBodiesOfParallelLoops) {
  llvm::LLVMContext context;
  auto module = parse(fork + copyLoop("one", "noalias") + copyLoop("two", ""), context);
  ASSERT_TRUE(module);
  propagateNoAlias(*module);
  EXPECT_FALSE(llvm::verifyModule(*module, &llvm::errs()));
  EXPECT_TRUE(areDistinct(*module, "one.body"));
  EXPECT_FALSE(areDistinct(*module, "two.body"));
}

TEST(NoAlias, NeedsEveryLoopThatSharesABody) {
  llvm::LLVMContext context;
  auto module = parse(fork + copyLoop("one", "noalias") + copyLoop("two", ""), context);
  ASSERT_TRUE(module);
  module->getFunction("two.body")->replaceAllUsesWith(module->getFunction("one.body"));
  propagateNoAlias(*module);
  EXPECT_FALSE(areDistinct(*module, "one.body"));
}

TEST(DropUnreadArguments, KeepsWhatIsReadAndWhatCallersOutsideSee) {
  llvm::LLVMContext context;
  auto module = parse(R"(
define internal void @kernel(ptr %allocated, ptr noalias %aligned, i64 %offset) {
  store i32 1, ptr %aligned
  ret void
}
define internal void @through(ptr %allocated, ptr %aligned, i64 %offset) {
  call void @kernel(ptr %allocated, ptr %aligned, i64 %offset)
  ret void
}
define void @sparsam_entry_f(ptr %a, ptr %b) {
  call void @through(ptr %a, ptr %b, i64 0)
  ret void
}
)",
                      context);
  ASSERT_TRUE(module);
  dropUnreadArguments(*module);
  EXPECT_FALSE(llvm::verifyModule(*module, &llvm::errs()));
  llvm::Function *kernel = module->getFunction("kernel");
  ASSERT_EQ(kernel->arg_size(), 1u);
  EXPECT_TRUE(kernel->getArg(0)->hasNoAliasAttr());
  EXPECT_EQ(module->getFunction("through")->arg_size(), 1u);
  EXPECT_EQ(module->getFunction("sparsam_entry_f")->arg_size(), 2u);
}

TEST(MergeEqualFunctions, LeavesOneOfEachAndTheEntries) {
  llvm::LLVMContext context;
  auto module =
      parse(fork + copyLoop("one", "noalias") + copyLoop("two", "noalias"), context);
  ASSERT_TRUE(module);
  internalize(*module,
              [](llvm::StringRef name) { return name.starts_with(entryPrefix); });
  mergeEqualFunctions(*module);
  EXPECT_FALSE(llvm::verifyModule(*module, &llvm::errs()));
  unsigned defined = 0;
  for (llvm::Function &function : *module)
    defined += !function.isDeclaration();
  EXPECT_EQ(defined, 3u); // the entry, one loop and its body
  EXPECT_TRUE(module->getFunction("sparsam_entry_f")->hasExternalLinkage());
}

TEST(Partition, DefinesEachFunctionAndVariableOnce) {
  std::string text = "@counter = internal global i32 0\n"
                     "@constant = private constant i32 3\n";
  constexpr unsigned count = 40;
  for (unsigned i = 0; i < count; ++i) {
    text += "define internal void @f" + std::to_string(i) + "() {\n";
    for (unsigned k = 0; k < 200; ++k)
      text += "  store volatile i32 " + std::to_string(i) + ", ptr @counter\n";
    text += "  %x = load volatile i32, ptr @constant\n  ret void\n}\n";
  }
  llvm::LLVMContext context;
  auto module = parse(text, context);
  ASSERT_TRUE(module);
  Partition partition(*module, 3);
  ASSERT_EQ(partition.size(), 3u);
  unsigned functions = 0, counters = 0;
  for (unsigned part = 0; part < partition.size(); ++part) {
    llvm::LLVMContext own;
    auto read = partition.read(part, own);
    ASSERT_TRUE(static_cast<bool>(read));
    EXPECT_FALSE(llvm::verifyModule(**read, &llvm::errs()));
    unsigned here = 0;
    for (llvm::Function &function : **read)
      here += !function.isDeclaration();
    EXPECT_NEAR(here, count / 3.0, 1);
    functions += here;
    counters += (*read)->getGlobalVariable("counter")->hasInitializer();
    EXPECT_TRUE((*read)->getGlobalVariable("constant", true)->hasInitializer());
  }
  EXPECT_EQ(functions, count);
  EXPECT_EQ(counters, 1u);
}

TEST(Partition, IsOneWhereThereIsLittleWork) {
  llvm::LLVMContext context;
  auto module = parse(fork + copyLoop("one", "") + copyLoop("two", ""), context);
  ASSERT_TRUE(module);
  EXPECT_EQ(Partition(*module, 8).size(), 1u);
}

} // namespace
