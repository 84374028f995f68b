// What passes count, on functions of the tests in the folder above. A packaged LLVM is
// built without statistics, so that --mlir-pass-statistics has nothing to print there.

#include "sparsam/InitAll.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>

#include <map>

using namespace mlir;

namespace {

using Counts = std::map<std::string, uint64_t>;

struct Case {
  const char *pass, *options, *file, *function;
  Counts expected;
};

void PrintTo(const Case &test, std::ostream *stream) {
  *stream << test.pass << " on @" << test.function;
}

/// The function alone, with the private ones of its part of the file.
OwningOpRef<ModuleOp> read(const Case &test, MLIRContext &context) {
  auto file = llvm::MemoryBuffer::getFile(llvm::Twine(SPARSAM_TESTS "/") + test.file);
  if (!file)
    return {};
  SmallVector<StringRef> parts;
  (*file)->getBuffer().split(parts, "// -----");
  for (StringRef part : parts) {
    if (!part.contains(("@" + Twine(test.function) + "(").str()))
      continue;
    auto module = parseSourceString<ModuleOp>(part, &context);
    if (!module)
      return {};
    for (auto function : llvm::make_early_inc_range(module->getOps<func::FuncOp>()))
      if (function.isPublic() && function.getName() != test.function)
        function.erase();
    return module;
  }
  return {};
}

class Statistics : public testing::TestWithParam<Case> {};

TEST_P(Statistics, Count) {
#if !LLVM_ENABLE_STATS
  GTEST_SKIP() << "built without statistics";
#endif
  const Case &test = GetParam();
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  sparsam::registerAll(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.allowUnregisteredDialects();
  context.getDiagEngine().registerHandler([](Diagnostic &diagnostic) {
    return success(diagnostic.getSeverity() != DiagnosticSeverity::Error);
  });
  static const bool registered = (sparsam::registerAllPasses(), true);
  ASSERT_TRUE(registered);

  OwningOpRef<ModuleOp> module = read(test, context);
  ASSERT_TRUE(module);
  const PassInfo *info = PassInfo::lookup((Twine("sparsam-") + test.pass).str());
  ASSERT_TRUE(info);
  PassManager passes(&context, PassManager::getAnyOpAnchorName());
  ASSERT_TRUE(succeeded(info->addToPipeline(passes, test.options, [](const Twine &error) {
    ADD_FAILURE() << error.str();
    return failure();
  })));
  Pass &pass = *passes.begin();

  Operation *target = *module;
  if (pass.getOpName() == func::FuncOp::getOperationName())
    target = *module->getOps<func::FuncOp>().begin();
  ASSERT_TRUE(succeeded(passes.run(target)));
  Counts found;
  for (Pass::Statistic *statistic : pass.getStatistics())
    found[statistic->getName()] = statistic->getValue();
  EXPECT_EQ(found, test.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Passes, Statistics,
    testing::Values(Case{"import",
                         "",
                         "Transforms/import.mlir",
                         "rows",
                         {{"scans", 0},
                          {"scatters", 1},
                          {"index-checks", 0},
                          {"transposed-reads", 0}}},
                    Case{"import",
                         "",
                         "Transforms/import.mlir",
                         "running_sum",
                         {{"scans", 1},
                          {"scatters", 0},
                          {"index-checks", 0},
                          {"transposed-reads", 0}}},
                    Case{"import",
                         "",
                         "Transforms/import-asserts.mlir",
                         "embedding",
                         {{"scans", 0},
                          {"scatters", 0},
                          {"index-checks", 2},
                          {"transposed-reads", 0}}},
                    Case{"import",
                         "",
                         "Transforms/import-transposes.mlir",
                         "filter",
                         {{"scans", 0},
                          {"scatters", 0},
                          {"index-checks", 0},
                          {"transposed-reads", 1}}},
                    Case{"find-parameters",
                         "",
                         "Transforms/find-parameters.mlir",
                         "momentum",
                         {{"gradients", 1}, {"states", 1}}},
                    Case{"apply-structure",
                         "structures={*fc=nm<2:4>}",
                         "Transforms/apply-structure.mlir",
                         "step",
                         {{"structured", 2}, {"dense", 4}}},
                    Case{"list-groups",
                         "",
                         "Transforms/list-groups.mlir",
                         "step",
                         {{"groups", 1}, {"blocked", 2}}},
                    Case{"expand-storage",
                         "",
                         "Transforms/expand-storage.mlir",
                         "step",
                         {{"structured", 1}}},
                    Case{"propagate",
                         "",
                         "Transforms/propagate.mlir",
                         "forward",
                         {{"spmm", 1},
                          {"sddmm", 0},
                          {"chains", 0},
                          {"leftovers", 0},
                          {"groups", 0},
                          {"convolutions", 0}}},
                    Case{"propagate",
                         "",
                         "Transforms/propagate.mlir",
                         "gradient",
                         {{"spmm", 0},
                          {"sddmm", 1},
                          {"chains", 0},
                          {"leftovers", 0},
                          {"groups", 0},
                          {"convolutions", 0}}},
                    Case{"propagate",
                         "",
                         "Transforms/propagate-factors.mlir",
                         "linear",
                         {{"spmm", 0},
                          {"sddmm", 0},
                          {"chains", 4},
                          {"leftovers", 0},
                          {"groups", 0},
                          {"convolutions", 0}}},
                    Case{"propagate",
                         "",
                         "Transforms/propagate-errors.mlir",
                         "returned",
                         {{"spmm", 0},
                          {"sddmm", 0},
                          {"chains", 0},
                          {"leftovers", 1},
                          {"groups", 0},
                          {"convolutions", 0}}},
                    Case{"count-flops",
                         "",
                         "Transforms/count-flops.mlir",
                         "patterns",
                         {{"contractions", 0},
                          {"convolutions", 0},
                          {"einsums", 0},
                          {"spmm", 512},
                          {"sddmm", 512}}},
                    Case{"lower-storage",
                         "",
                         "Transforms/lower-storage.mlir",
                         "restrict_view",
                         {{"lowered", 1}}},
                    Case{"crop-windows",
                         "",
                         "Conversion/ToCPU/crop-windows.mlir",
                         "convolution",
                         {{"operands", 1}}},
                    Case{"fold-reshapes",
                         "",
                         "Conversion/ToCPU/fold-reshapes.mlir",
                         "product",
                         {{"generalized", 1}}},
                    Case{"fold-transposes",
                         "",
                         "Conversion/ToCPU/fold-transposes.mlir",
                         "operand",
                         {{"operands", 1}, {"results", 0}}},
                    Case{"fold-transposes",
                         "",
                         "Conversion/ToCPU/fold-transposes.mlir",
                         "result",
                         {{"operands", 0}, {"results", 1}}},
                    Case{"fuse-elementwise",
                         "",
                         "Conversion/ToCPU/fuse-elementwise.mlir",
                         "chain",
                         {{"fused", 1}}},
                    Case{"fuse-siblings",
                         "",
                         "Conversion/ToCPU/fuse-siblings.mlir",
                         "optimizer",
                         {{"fused", 2}}},
                    Case{"set-destinations",
                         "",
                         "Conversion/ToCPU/set-destinations.mlir",
                         "update",
                         {{"donated", 2}, {"missed", 0}}},
                    Case{"set-destinations",
                         "",
                         "Conversion/ToCPU/set-destinations-errors.mlir",
                         "transposed",
                         {{"donated", 0}, {"missed", 1}}},
                    Case{"lower-sparse-products",
                         "",
                         "Conversion/ToCPU/lower-sparse-products.mlir",
                         "shared",
                         {{"tiled", 0}, {"products", 2}, {"epilogues", 0}}},
                    Case{"lower-sparse-products",
                         "vector-bits=512",
                         "Conversion/ToCPU/lower-sparse-products-epilogue.mlir",
                         "bias",
                         {{"tiled", 0}, {"products", 1}, {"epilogues", 1}}},
                    Case{"results-to-arguments",
                         "",
                         "Conversion/ToCPU/results-to-arguments.mlir",
                         "in_place",
                         {{"in-place", 1}, {"copied", 0}}},
                    Case{"results-to-arguments",
                         "",
                         "Conversion/ToCPU/results-to-arguments.mlir",
                         "copied",
                         {{"in-place", 0}, {"copied", 1}}},
                    Case{"lower-dense-products",
                         "",
                         "Conversion/ToCPU/lower-dense-products.mlir",
                         "plain",
                         {{"calls", 1}, {"packed", 0}}},
                    Case{"lower-dense-products",
                         "",
                         "Conversion/ToCPU/lower-dense-products.mlir",
                         "packed",
                         {{"calls", 1}, {"packed", 1}}},
                    Case{"outline-kernels",
                         "",
                         "Conversion/ToCPU/outline-kernels.mlir",
                         "shared",
                         {{"kernels", 2}, {"shared", 1}}},
                    Case{"generics-to-loops",
                         "",
                         "Conversion/ToCPU/generics-to-loops.mlir",
                         "copies",
                         {{"lowered", 1}}},
                    Case{"plan-memory",
                         "",
                         "Conversion/ToCPU/plan-memory.mlir",
                         "chain",
                         {{"planned-bytes", 512}, {"unplanned-bytes", 768}}}));

} // namespace
