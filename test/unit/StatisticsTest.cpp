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

using namespace mlir;

namespace {

/// In the order in which the pass declares them.
using Counts = std::vector<uint64_t>;

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
  // Their constructor is LLVM's, which sets nothing, names included, where it is built
  // without.
  for (Pass::Statistic *statistic : pass.getStatistics())
    static_cast<llvm::Statistic &>(*statistic) = 0;

  Operation *target = *module;
  if (pass.getOpName() == func::FuncOp::getOperationName())
    target = *module->getOps<func::FuncOp>().begin();
  ASSERT_TRUE(succeeded(passes.run(target)));
  Counts found;
  for (Pass::Statistic *statistic : pass.getStatistics())
    found.push_back(statistic->getValue());
  EXPECT_EQ(found, test.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Passes, Statistics,
    testing::Values(
        Case{"import", "", "Transforms/import.mlir", "rows", {1}},
        Case{
            "find-parameters", "", "Transforms/find-parameters.mlir", "momentum", {1, 1}},
        Case{"apply-structure",
             "structures={*fc=nm<2:4>}",
             "Transforms/apply-structure.mlir",
             "step",
             {2, 4}},
        Case{"expand-storage", "", "Transforms/expand-storage.mlir", "step", {1}},
        Case{"propagate", "", "Transforms/propagate.mlir", "forward", {1, 0, 0, 0}},
        Case{"propagate", "", "Transforms/propagate.mlir", "gradient", {0, 1, 0, 0}},
        Case{
            "propagate", "", "Transforms/propagate-factors.mlir", "linear", {0, 0, 4, 0}},
        Case{"propagate",
             "",
             "Transforms/propagate-errors.mlir",
             "returned",
             {0, 0, 0, 1}},
        Case{"lower-storage", "", "Transforms/lower-storage.mlir", "restrict_view", {1}},
        Case{"fold-reshapes", "", "Conversion/ToCPU/fold-reshapes.mlir", "product", {1}},
        Case{"fold-transposes",
             "",
             "Conversion/ToCPU/fold-transposes.mlir",
             "operand",
             {1, 0}},
        Case{"fold-transposes",
             "",
             "Conversion/ToCPU/fold-transposes.mlir",
             "result",
             {0, 1}},
        Case{"fuse-elementwise",
             "",
             "Conversion/ToCPU/fuse-elementwise.mlir",
             "chain",
             {1}},
        Case{
            "fuse-siblings", "", "Conversion/ToCPU/fuse-siblings.mlir", "optimizer", {2}},
        Case{"set-destinations",
             "",
             "Conversion/ToCPU/set-destinations.mlir",
             "update",
             {2, 0}},
        Case{"set-destinations",
             "",
             "Conversion/ToCPU/set-destinations-errors.mlir",
             "transposed",
             {0, 1}},
        Case{"lower-sparse-products",
             "",
             "Conversion/ToCPU/lower-sparse-products.mlir",
             "shared",
             {2}},
        Case{"results-to-arguments",
             "",
             "Conversion/ToCPU/results-to-arguments.mlir",
             "in_place",
             {1, 0}},
        Case{"results-to-arguments",
             "",
             "Conversion/ToCPU/results-to-arguments.mlir",
             "copied",
             {0, 1}},
        Case{"lower-dense-products",
             "",
             "Conversion/ToCPU/lower-dense-products.mlir",
             "plain",
             {1, 0}},
        Case{"lower-dense-products",
             "",
             "Conversion/ToCPU/lower-dense-products.mlir",
             "packed",
             {1, 1}},
        Case{"outline-kernels",
             "",
             "Conversion/ToCPU/outline-kernels.mlir",
             "shared",
             {2, 1}},
        Case{"generics-to-loops",
             "",
             "Conversion/ToCPU/generics-to-loops.mlir",
             "copies",
             {1}},
        Case{"plan-memory",
             "",
             "Conversion/ToCPU/plan-memory.mlir",
             "chain",
             {512, 768}}));

} // namespace
