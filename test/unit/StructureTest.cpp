#include "mlir/IR/MLIRContext.h"
#include "sparsam/IR/SparsamDialect.h"
#include "sparsam/InitAll.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::sparsam;

namespace {

struct StructureTest : testing::Test {
  StructureTest() : context(registry()), loc(UnknownLoc::get(&context)) {
    context.loadDialect<SparsamDialect>();
    context.getDiagEngine().registerHandler([&](Diagnostic &diagnostic) {
      messages.push_back(diagnostic.str());
      return success();
    });
  }

  static DialectRegistry registry() {
    DialectRegistry registry;
    registerAll(registry);
    return registry;
  }

  StructureInterface parse(StringRef text) {
    FailureOr<StructureInterface> structure = parseStructure(text, loc);
    return succeeded(structure) ? *structure : StructureInterface();
  }

  RankedTensorType f32(ArrayRef<int64_t> shape) {
    return RankedTensorType::get(shape, Float32Type::get(&context));
  }

  auto errors() {
    return [this] { return emitError(loc); };
  }

  MLIRContext context;
  Location loc;
  std::vector<std::string> messages;
};

TEST_F(StructureTest, TextRoundTrips) {
  for (StringRef text :
       {"nm<2:4>", "nm<2:8, vector = 8>", "nm<1:4, in = [1]>",
        "nm<2:8, vector = 4, in = [0, 1]>", "low_rank<64>", "low_rank<3, in = [1, 0]>",
        "nm<2:4, transposable>", "nm<2:4, transposable, in = [1], stack = [0]>",
        "block<16x8, density = 0.25>", "block<1x4, density = 1, in = [1]>",
        "unstructured<density = 0.1>", "unstructured<density = 0, stack = [0]>",
        "unstructured<density = 1.0e-05>", "unstructured<density = 0.3333333333333333>",
        "vnm<64, 2:8>", "vnm<8, 1:16, in = [1, 2]>"}) {
    StructureInterface structure = parse(text);
    ASSERT_TRUE(structure) << text.str();
    std::string printed;
    llvm::raw_string_ostream(printed) << structure;
    EXPECT_EQ(printed, "#sparsam." + text.str());
  }
}

TEST_F(StructureTest, TextThatDoesNotParseSaysWhy) {
  EXPECT_FALSE(parse("banded<3>"));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].rfind("structure `banded<3>` does not parse: unknown structure "
                              "`banded`, expected one of ",
                              0),
            0u)
      << messages[0];
  EXPECT_FALSE(parse("nm<2;4>"));
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_NE(messages[1].find("structure `nm<2;4>` does not parse"), std::string::npos);
}

TEST_F(StructureTest, TextThatDoesNotParseSaysWhatWasFound) {
  for (auto [text, reason] : {
           std::pair("unstructured<density = nan>",
                     "density: expected a number, found `nan`"),
           std::pair("unstructured<density = .5>",
                     "density: expected a number with a digit before its point, found "
                     "`.5`"),
           std::pair("unstructured<density = >", "density: expected a number, found `>`"),
           std::pair("unstructured<>",
                     "expected `density`, the share of entries that are stored, as in "
                     "`density = 0.25`, found `>`"),
           std::pair("unstructured",
                     "expected `density`, the share of entries that are stored, as in "
                     "`density = 0.25`, found the end of the text"),
           std::pair("block<4x4>",
                     "expected `density`, the share of entries that are stored, as in "
                     "`density = 0.25`, found `>`"),
           std::pair("unstructured<density = -0.5>",
                     "expected a density from 0 to 1, found -0.5"),
           std::pair("nm<2:4",
                     "expected `>` that closes `nm<`, found the end of the text"),
           std::pair("sum<low_rank<4>, nm<2:4>",
                     "expected `>` that closes `sum<`, found the end of the text"),
           std::pair("nm<2:4, in = [0>", "expected `]` that closes `[`, found `>`"),
           std::pair("nm<2:4>>", "expected nothing after it, found `>`"),
           std::pair("nm", "expected '<', found the end of the text"),
           std::pair("nm<2:>", "expected a whole number, found `>`"),
           std::pair("nm<2:4, vector = x>", "vector: expected a whole number, found `x`"),
           std::pair("sum<low_rank<4>, block<4x4,\ndensity = a>>",
                     "density: expected a number, found `a`"),
           std::pair("lora<4, beta = 2>",
                     "beta: there is no such parameter, or it is given twice"),
       }) {
    messages.clear();
    EXPECT_FALSE(parse(text)) << text;
    ASSERT_EQ(messages.size(), 1u) << text;
    EXPECT_EQ(messages[0],
              (Twine("structure `") + text + "` does not parse: " + reason).str());
  }
}

TEST_F(StructureTest, ViewsFlattenInputsAndOutputs) {
  auto view = getMatrixView(parse("nm<2:4, in = [2, 0]>"), f32({3, 5, 4, 7}), errors());
  ASSERT_TRUE(succeeded(view));
  EXPECT_EQ(view->matrix, f32({12, 35}));
  EXPECT_EQ(view->out, (SmallVector<int64_t>{1, 3}));
  EXPECT_FALSE(view->isReshape());

  view = getMatrixView(parse("low_rank<2>"), f32({6, 2, 4}), errors());
  ASSERT_TRUE(succeeded(view));
  EXPECT_EQ(view->matrix, f32({6, 8}));
  EXPECT_TRUE(view->isReshape());
}

TEST_F(StructureTest, StorageOfAnNMMatrix) {
  auto storage = parse("nm<2:8, vector = 4>").getStorage(f32({64, 12}), errors());
  ASSERT_TRUE(succeeded(storage));
  ASSERT_EQ(storage->size(), 2u);
  EXPECT_EQ((*storage)[0].name, "values");
  EXPECT_EQ((*storage)[0].type, f32({3, 16, 4}));
  EXPECT_TRUE((*storage)[0].isTrainable());
  EXPECT_EQ((*storage)[1].name, "indices");
  EXPECT_EQ((*storage)[1].type,
            RankedTensorType::get({3, 16}, IntegerType::get(&context, 16)));
  EXPECT_TRUE((*storage)[1].isIndex());
}

TEST_F(StructureTest, IndicesWidenBeyondSixteenBits) {
  auto indexWidth = [&](int64_t inputs) {
    auto storage = parse("nm<1:2>").getStorage(f32({inputs, 1}), errors());
    return (*storage)[1].type.getElementTypeBitWidth();
  };
  EXPECT_EQ(indexWidth(65536), 16u);
  EXPECT_EQ(indexWidth(65538), 32u);
}

TEST_F(StructureTest, CostCountsWhatIsStored) {
  auto cost = parse("nm<2:8, vector = 8>").getCost(f32({512, 1536}));
  ASSERT_TRUE(succeeded(cost));
  EXPECT_EQ(cost->entries, 512 * 1536 / 4);
  EXPECT_EQ(cost->flopsPerRow, 2 * cost->entries);
  EXPECT_EQ(cost->bytes, cost->entries * 4 + cost->entries / 8 * 2);

  cost = parse("low_rank<64>").getCost(f32({512, 1536}));
  ASSERT_TRUE(succeeded(cost));
  EXPECT_EQ(cost->entries, 64 * (512 + 1536));
}

TEST_F(StructureTest, BackwardToTheWeightCostsWhatIsTrained) {
  // Frozen tensors have none; a dynamic pattern's gradient has all entries.
  auto cost = parse("frozen").getCost(f32({16, 8}));
  EXPECT_EQ(cost->flopsPerRow, 2 * 16 * 8);
  EXPECT_EQ(cost->gradientFlopsPerRow, 0);
  cost = parse("lora<2, base = nm<2:4>>").getCost(f32({16, 8}));
  EXPECT_EQ(cost->flopsPerRow, 16 * 8 + 2 * 2 * (16 + 8));
  EXPECT_EQ(cost->gradientFlopsPerRow, 2 * 2 * (16 + 8));
  cost = parse("dynamic<nm<2:4>>").getCost(f32({16, 8}));
  EXPECT_EQ(cost->flopsPerRow, 16 * 8);
  EXPECT_EQ(cost->gradientFlopsPerRow, 2 * 16 * 8);
  cost = parse("nm<2:4>").getCost(f32({16, 8}));
  EXPECT_EQ(cost->gradientFlopsPerRow, cost->flopsPerRow);
}

TEST_F(StructureTest, PatternsFromOutsideAreChecked) {
  // Two blocks of outputs, each of two groups of four inputs.
  StructureInterface structure = parse("nm<2:4, vector = 3>");
  RankedTensorType type = f32({8, 6});
  auto verify = [&](ArrayRef<int64_t> indices) {
    return succeeded(verifyPattern(structure, type, {indices}, errors()));
  };
  EXPECT_TRUE(verify({0, 3, 4, 5, 1, 2, 6, 7}));
  EXPECT_TRUE(messages.empty());
  for (const std::vector<int64_t> &indices :
       {std::vector<int64_t>{0, 3, 4, 5, 1, 2, 6, 8},
        {0, 4, 4, 5, 1, 2, 6, 7},
        {0, 3, 3, 5, 1, 2, 6, 7},
        {0, 3, 5, 4, 1, 2, 6, 7},
        {0, 3, 4, 5, 2, 2, 6, 7},
        {0, 3, 4, 5, 1, 2, 6}})
    EXPECT_FALSE(verify(indices));
  EXPECT_EQ(
      messages,
      (std::vector<std::string>{
          "indices[1, 3] is 8, expected an input from 4 to 7",
          "indices[0, 1] is 4, expected an input from 0 to 3",
          "indices[0, 2] is 3, expected an input from 4 to 7",
          "indices[0, 3] is 4, expected one above the 5 before it",
          "indices[1, 1] is 2, expected one above the 2 before it",
          "indices of #sparsam.nm<2:4, vector = 3> must have 8 elements, found 7"}));
}

TEST_F(StructureTest, CostsOfOtherPatternsCountWhatIsStored) {
  // 32 blocks of inputs, a quarter of which are stored in each of 96 block rows.
  auto cost = parse("block<16x16, density = 0.25>").getCost(f32({512, 1536}));
  ASSERT_TRUE(succeeded(cost));
  EXPECT_EQ(cost->entries, 512 * 1536 / 4);
  EXPECT_EQ(cost->flopsPerRow, 2 * cost->entries);
  EXPECT_EQ(cost->bytes, cost->entries * 4 + 96 * 8 * 2);

  cost = parse("unstructured<density = 0.1>").getCost(f32({5, 7}));
  ASSERT_TRUE(succeeded(cost));
  EXPECT_EQ(cost->entries, 4); // 3.5, rounded half up.
  EXPECT_EQ(cost->flopsPerRow, 8);
  EXPECT_EQ(cost->bytes, 4 * (4 + 2) + 8 * 4);

  cost = parse("vnm<64, 2:8>").getCost(f32({512, 1536}));
  ASSERT_TRUE(succeeded(cost));
  EXPECT_EQ(cost->entries, 512 * 1536 / 4);
  EXPECT_EQ(cost->flopsPerRow, 2 * cost->entries);
  EXPECT_EQ(cost->bytes, cost->entries * (4 + 2) + 24 * 256 * 2);
}

TEST_F(StructureTest, DensitiesOfNothingAndEverythingHaveAStorage) {
  auto shapes = [&](StringRef text) {
    SmallVector<SmallVector<int64_t>> shapes;
    auto storage = parse(text).getStorage(f32({8, 6}), errors());
    for (const StorageTensor &tensor : *storage)
      shapes.emplace_back(tensor.type.getShape());
    return shapes;
  };
  using Shapes = SmallVector<SmallVector<int64_t>>;
  EXPECT_EQ(shapes("unstructured<density = 0>"), (Shapes{{0}, {7}, {0}}));
  EXPECT_EQ(shapes("unstructured<density = 1>"), (Shapes{{48}, {7}, {48}}));
  EXPECT_EQ(shapes("block<4x3, density = 0>"), (Shapes{{2, 0, 4, 3}, {2, 0}}));
  EXPECT_EQ(shapes("block<4x3, density = 1>"), (Shapes{{2, 2, 4, 3}, {2, 2}}));
}

TEST_F(StructureTest, PatternsOfBlocksAreChecked) {
  // Two of four blocks in each of two block rows.
  StructureInterface structure = parse("block<2x3, density = 0.5>");
  auto verify = [&](ArrayRef<int64_t> indices) {
    return succeeded(verifyPattern(structure, f32({8, 6}), {indices}, errors()));
  };
  EXPECT_TRUE(verify({0, 3, 1, 2}));
  EXPECT_TRUE(messages.empty());
  EXPECT_FALSE(verify({0, 4, 1, 2}));
  EXPECT_FALSE(verify({0, 3, 2, 2}));
  EXPECT_EQ(messages, (std::vector<std::string>{
                          "indices[0, 1] is 4, expected a block of inputs from 0 to 3",
                          "indices[1, 1] is 2, expected one above the 2 before it"}));
}

TEST_F(StructureTest, PatternsOfAnyEntriesAreChecked) {
  // Four entries of 4 x 3.
  StructureInterface structure = parse("unstructured<density = 0.3>");
  auto verify = [&](ArrayRef<int64_t> positions, ArrayRef<int64_t> indices) {
    return succeeded(
        verifyPattern(structure, f32({4, 3}), {positions, indices}, errors()));
  };
  EXPECT_TRUE(verify({0, 2, 2, 4}, {0, 3, 0, 1}));
  EXPECT_TRUE(messages.empty());
  EXPECT_FALSE(verify({1, 2, 2, 4}, {0, 3, 0, 1}));
  EXPECT_FALSE(verify({0, 2, 2, 3}, {0, 3, 0, 1}));
  EXPECT_FALSE(verify({0, 5, 2, 4}, {0, 3, 0, 1}));
  EXPECT_FALSE(verify({0, 2, 2, 4}, {0, 4, 0, 1}));
  EXPECT_FALSE(verify({0, 2, 2, 4}, {0, 3, 1, 1}));
  EXPECT_EQ(messages,
            (std::vector<std::string>{
                "positions[0] is 1, expected 0",
                "positions[3] is 3, expected the 4 entries that are stored",
                "positions[2] is 2, expected none below the 5 before it",
                "indices[1] is 4, expected an input from 0 to 3",
                "indices[3] is 1, expected one above the 1 before it in output 2"}));
}

TEST_F(StructureTest, PatternsOfSharedColumnsAreChecked) {
  // One group of 5 inputs, two blocks of two outputs.
  StructureInterface structure = parse("vnm<2, 2:5>");
  auto verify = [&](ArrayRef<int64_t> columns, ArrayRef<int64_t> indices) {
    return succeeded(verifyPattern(structure, f32({5, 4}), {columns, indices}, errors()));
  };
  std::vector<int64_t> columns{0, 1, 2, 4, 1, 2, 3, 4}, indices{0, 1, 2, 3, 0, 3, 1, 2};
  EXPECT_TRUE(verify(columns, indices));
  EXPECT_TRUE(messages.empty());
  EXPECT_FALSE(verify({0, 1, 2, 5, 1, 2, 3, 4}, indices));
  EXPECT_FALSE(verify({0, 1, 2, 4, 1, 1, 3, 4}, indices));
  EXPECT_FALSE(verify(columns, {0, 4, 2, 3, 0, 3, 1, 2}));
  EXPECT_FALSE(verify(columns, {0, 1, 2, 3, 3, 0, 1, 2}));
  EXPECT_EQ(messages, (std::vector<std::string>{
                          "columns[0, 3] is 5, expected an input from 0 to 4",
                          "columns[1, 1] is 1, expected one above the 1 before it",
                          "indices[0, 1] is 4, expected a column from 0 to 3",
                          "indices[2, 1] is 0, expected one above the 3 before it"}));
}

TEST_F(StructureTest, TransposablePatternsAreCheckedBothWays) {
  StructureInterface structure = parse("nm<1:2, transposable>");
  auto verify = [&](ArrayRef<int64_t> indices) {
    return succeeded(verifyPattern(structure, f32({4, 4}), {indices}, errors()));
  };
  EXPECT_TRUE(verify({0, 2, 1, 3, 1, 2, 0, 3}));
  EXPECT_TRUE(messages.empty());
  EXPECT_FALSE(verify({0, 2, 1, 3, 1, 2, 0, 2}));
  EXPECT_EQ(messages, (std::vector<std::string>{
                          "outputs 2 to 3 keep input 2 2 times, expected 1"}));
}

TEST_F(StructureTest, FactorsHaveNoPattern) {
  StructureInterface structure = parse("low_rank<2>");
  EXPECT_TRUE(succeeded(verifyPattern(structure, f32({8, 6}), {}, errors())));
  EXPECT_TRUE(
      failed(verifyPattern(structure, f32({8, 6}), {ArrayRef<int64_t>({0})}, errors())));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0], "#sparsam.low_rank<2> has 0 index tensors, found 1");
}

} // namespace
