// Bundles that are whole, and what is said of those that are not.

#include "sparsam-c/Bundle.h"
#include "sparsam/Bundle/Bundle.h"
#include "sparsam/Bundle/Patterns.h"
#include "sparsam/Runtime/AheadOfTime.h"

#include "mlir/Parser/Parser.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::sparsam;
namespace fs = std::filesystem;

namespace {

/// w += NUMBER * x
constexpr const char *program = R"(
func.func @add(%x: memref<4xf32> {sparsam.name = "x"},
               %w: memref<4xf32> {sparsam.name = "w", sparsam.updates = 0 : i64},
               %workspace: memref<64xi8> {sparsam.workspace})
    attributes {llvm.emit_c_interface} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %scale = arith.constant NUMBER : f32
  scf.for %i = %c0 to %c4 step %c1 {
    %a = memref.load %x[%i] : memref<4xf32>
    %b = memref.load %w[%i] : memref<4xf32>
    %scaled = arith.mulf %a, %scale : f32
    %sum = arith.addf %scaled, %b : f32
    memref.store %sum, %w[%i] : memref<4xf32>
  }
  return
})";

std::string replaced(std::string text, const std::string &from, const std::string &to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class BundleTest : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) /
             testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder);
    fs::create_directories(folder);
    path = folder / "add.sparsam";
    write("1.0");
  }
  void TearDown() override { fs::remove_all(folder); }

  void write(const std::string &number) {
    writeText(replaced(program, "NUMBER", number));
  }

  void writeText(const std::string &text) {
    DialectRegistry registry;
    registerProgramDialects(registry);
    registerProgramPasses();
    MLIRContext context(registry);
    auto module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module);
    llvm::Expected<Cpu> cpu = Cpu::get("host");
    ASSERT_TRUE(bool(cpu));
    llvm::Error error =
        writeBundle(path.string(), {{*module, *cpu}}, {{"notes.txt", "some notes"}});
    ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
  }

  std::string manifest() const { return *sparsam::readFile(path / "manifest.json"); }

  void overwrite(const std::string &name, const std::string &contents) {
    std::ofstream(path / name, std::ios::binary) << contents;
  }

  /// Overwrites the manifest with one where `from` is `to`.
  void edit(const std::string &from, const std::string &to) {
    overwrite("manifest.json", replaced(manifest(), from, to));
  }

  fs::path code() const {
    for (const fs::directory_entry &entry : fs::directory_iterator(path))
      if (entry.path().extension() == ".so")
        return entry.path();
    return {};
  }

  /// What opening it fails with, behind the path.
  std::string refusal() const {
    auto bundle = Bundle::open(path);
    return bundle.failed() ? replaced(bundle.reason(), path.string(), "…") : "none";
  }

  fs::path folder, path;
};

void expectContains(const std::string &text, const std::string &part) {
  EXPECT_NE(text.find(part), std::string::npos) << text << "\nhas no " << part;
}

TEST_F(BundleTest, RunsAndChecksArguments) {
  auto bundle = Bundle::open(path);
  ASSERT_FALSE(bundle.failed()) << bundle.reason();
  const FunctionTable &table = (*bundle)->table();
  ASSERT_NE(table.find("add"), nullptr);
  EXPECT_EQ(table.find("sub"), nullptr);
  float x[8] = {1, 2, 3, 4}, w[4] = {10, 20, 30, 40};
  void *arrays[] = {x, w, x + 2};
  EXPECT_FALSE(table.call(*table.find("add"), arrays, 2).failed());
  EXPECT_EQ(w[3], 44);
  EXPECT_EQ(table.call(*table.find("add"), arrays, 3).reason(),
            "function 'add' takes 2 arrays, and got 3");
  void *overlapping[] = {x, x + 2};
  EXPECT_EQ(table.call(*table.find("add"), overlapping, 2).reason(),
            "function 'add' writes to memory that argument 0 'x' and argument 1 'w' "
            "share");
  EXPECT_EQ(*(*bundle)->read("notes.txt"), "some notes");
  expectContains((*bundle)->read("notes").reason(), "there is no 'notes' in it");
}

TEST_F(BundleTest, ReplacedWhileOpen) {
  auto first = Bundle::open(path);
  ASSERT_FALSE(first.failed());
  write("2.0");
  auto second = Bundle::open(path);
  ASSERT_FALSE(second.failed());
  for (auto [bundle, expected] : {std::pair(&first, 2.0f), std::pair(&second, 3.0f)}) {
    const FunctionTable &table = (**bundle)->table();
    float x[4] = {1, 1, 1, 1}, w[4] = {1, 1, 1, 1};
    void *arrays[] = {x, w};
    ASSERT_FALSE(table.call(table.functions().front(), arrays, 2).failed());
    EXPECT_EQ(w[0], expected);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

TEST_F(BundleTest, NoBundle) {
  fs::remove(path / "manifest.json");
  EXPECT_EQ(refusal(), "'…' is no bundle: there is no manifest.json in it");
  fs::remove_all(path);
  EXPECT_EQ(refusal(), "'…' is no bundle: there is nothing of that name");
  std::ofstream(path) << "text";
  EXPECT_EQ(refusal(), "'…' is no bundle: there is no manifest.json in it");
}

TEST_F(BundleTest, DamagedCode) {
  fs::path file = code();
  std::string contents = *sparsam::readFile(file), name = file.filename();
  contents[contents.size() / 2] ^= 1;
  overwrite(name, contents);
  EXPECT_EQ(refusal(), "bundle '…': '" + name +
                           "' is damaged: its checksum is not that of its manifest");
  contents.resize(contents.size() / 2);
  overwrite(name, contents);
  expectContains(refusal(), "bundle '…': '" + name + "' has ");
  fs::remove(file);
  expectContains(refusal(), ": No such file or directory");
}

TEST_F(BundleTest, DamagedNotes) {
  overwrite("notes.txt", "other text");
  auto bundle = Bundle::open(path);
  ASSERT_FALSE(bundle.failed());
  expectContains((*bundle)->read("notes.txt").reason(), "'notes.txt' is damaged");
}

TEST_F(BundleTest, TruncatedManifest) {
  std::string text = manifest();
  for (size_t size : {size_t(0), size_t(1), text.size() / 2, text.size() - 3}) {
    overwrite("manifest.json", text.substr(0, size));
    expectContains(refusal(), "bundle '…': manifest.json: it is not whole: ");
  }
}

TEST_F(BundleTest, OtherFormats) {
  edit("\"format\": 1", "\"format\": 2");
  expectContains(refusal(), "bundle '…': manifest.json: it is of format 2, made by "
                            "Sparsam ");
  edit("\"format\": 2", "\"format\": \"2\"");
  expectContains(refusal(), "manifest.json: expected a size, found \"2\"");
  overwrite("manifest.json", "[1, 2]");
  expectContains(refusal(), "manifest.json: it is damaged: ");
}

TEST_F(BundleTest, OtherMachines) {
  std::string own = manifest();
  edit("\"features\": [", "\"features\": [\"flux\", \"warp\",");
  expectContains(refusal(), "none of its code runs on this machine: that for ");
  expectContains(refusal(), " needs flux, warp");
  overwrite("manifest.json", own);
  edit(std::string("\"architecture\": \"") + thisArchitecture(),
       "\"architecture\": \"pdp11");
  expectContains(refusal(), "it is for machines of architecture pdp11");
}

TEST_F(BundleTest, ManifestThatLies) {
  struct {
    const char *from, *to, *reason;
  } const edits[] = {
      {"\"bytes\": 16", "\"bytes\": 20",
       "an array of float32 of shape (4,) is said to have 20 bytes"},
      {"\"bytes\": 16", "\"bytes\": -16", "expected a size, found -16"},
      {"     4\n", "     4611686018427387904, 4\n", "is too large"},
      {"     4\n", "     -4\n", "expected a size, found -4"},
      {"\"element_type\": \"f32\"", "\"element_type\": \"f33\"",
       "there is no element type 'f33'"},
      {"\"role\": \"input\"", "\"role\": \"output\"", "there is no role 'output'"},
      {"\"result\": 0,", "", "key 'result' not found"},
      {"\"argument\": 2", "\"argument\": 4", "the workspace of 'add' has no place"},
      {"\"name\": \"add\"", "\"name\": \"sub\"", "has no sparsam_entry_sub"},
      {"\"file\": \"", "\"file\": \"../", "is no name of a file in a bundle"},
      {"\"crc32\": \"", "\"crc32\": \"x", "is no checksum"},
      {"\"variants\": [", "\"variants\": [7,", "it is damaged"},
  };
  std::string own = manifest();
  for (const auto &[from, to, reason] : edits) {
    overwrite("manifest.json", replaced(own, from, to));
    expectContains(refusal(), reason);
  }
}

/// One whose second function stores a pattern.
constexpr const char *patterned = R"(
func.func @densify(%v: memref<4xf32> {sparsam.param = "w", sparsam.part = "values",
                                      sparsam.structure = "nm<2:4>"},
                   %i: memref<1x4xi16> {sparsam.param = "w", sparsam.part = "indices",
                                        sparsam.structure = "nm<2:4>"},
                   %w: memref<8x1xf32> {sparsam.param = "w", sparsam.result = 0 : i64})
    attributes {llvm.emit_c_interface} {
  return
})";

TEST_F(BundleTest, RulesOfIndices) {
  writeText(patterned);
  auto bundle = Bundle::open(path);
  ASSERT_FALSE(bundle.failed()) << bundle.reason();
  const ProgramFunction &densify = *(*bundle)->table().find("densify");
  float values[4], w[8];
  uint16_t good[4] = {0, 1, 4, 7}, bad[4] = {0, 1, 1, 7};
  void *arrays[] = {values, good, w};
  EXPECT_FALSE(checkPatterns(densify, arrays).has_value());
  arrays[1] = bad;
  auto fault = checkPatterns(densify, arrays);
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->argument, 1u);
  EXPECT_EQ(fault->reason, "indices[0, 2] is 1, expected an input from 4 to 7");
  arrays[1] = nullptr;
  EXPECT_FALSE(checkPatterns(densify, arrays).has_value());

  struct {
    const char *from, *to, *reason;
  } const edits[] = {
      {"\"kind\": \"runs\"", "\"kind\": \"walks\"",
       "there is no rule 'walks' of indices"},
      {"\"run\": 2", "\"run\": 0", "'run' of a rule cannot be 0"},
      {"\"period\": 2", "\"period\": 9999999999", "'period' of a rule cannot be"},
      {"\"step\": 4", "\"step\": -4", "expected a size, found -4"},
      {"\"entries\": 4", "\"entries\": 3", "a rule is for 3 of 4 indices"},
      {"\"entries\": 4", "\"entries\": 0", "a rule is for 0 of 4 indices"},
  };
  std::string own = manifest();
  for (const auto &[from, to, reason] : edits) {
    overwrite("manifest.json", replaced(own, from, to));
    expectContains(refusal(), reason);
  }
}

TEST_F(BundleTest, CInterface) {
  EXPECT_EQ(sparsamBundleOpen((folder / "none").c_str()), nullptr);
  expectContains(sparsamBundleGetError(), "there is nothing of that name");
  SparsamBundle *bundle = sparsamBundleOpen(path.c_str());
  ASSERT_NE(bundle, nullptr) << sparsamBundleGetError();
  EXPECT_STRNE(sparsamBundleGetCpu(bundle), "");
  ASSERT_EQ(sparsamBundleGetNumFunctions(bundle), 1);
  EXPECT_STREQ(sparsamBundleGetFunctionName(bundle, 0), "add");
  EXPECT_EQ(sparsamBundleFindFunction(bundle, "add"), 0);
  EXPECT_EQ(sparsamBundleFindFunction(bundle, "sub"), -1);
  ASSERT_EQ(sparsamBundleGetNumArguments(bundle, 0), 2);
  SparsamBundleArgument w = sparsamBundleGetArgument(bundle, 0, 1);
  EXPECT_STREQ(w.name, "w");
  EXPECT_EQ(w.param, nullptr);
  EXPECT_EQ(w.role, SparsamArgumentRoleUpdated);
  EXPECT_EQ(w.result, 0);
  EXPECT_STREQ(w.elementType, "f32");
  ASSERT_EQ(w.rank, 1);
  EXPECT_EQ(w.shape[0], 4);
  EXPECT_EQ(w.numBytes, 16u);
  float x[4] = {1, 2, 3, 4}, y[4] = {};
  void *arrays[] = {x, y};
  EXPECT_EQ(sparsamBundleCall(bundle, 0, 2, arrays), 0);
  EXPECT_EQ(y[3], 4);
  EXPECT_EQ(sparsamBundleCall(bundle, 0, 1, arrays), 1);
  EXPECT_STREQ(sparsamBundleGetError(), "function 'add' takes 2 arrays, and got 1");
  sparsamBundleClose(bundle);
}

} // namespace
