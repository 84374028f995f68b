#include "../common/Input.h"
#include "Compiler.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace sparsam_run;

namespace {

constexpr llvm::StringLiteral tool = "sparsam-run";

class CompiledModule : public CompiledFile {
public:
  LogicalResult compile(const Options &options) {
    auto input = sparsam_tools::Input::read(tool, options.input, options.plugins);
    if (!input)
      return failure();
    PhaseTimes passes;
    OwningOpRef<ModuleOp> module = input->lower(options.pipeline, options.cpu, passes);
    if (!module)
      return failure();
    auto compiled = Program::compile(*module);
    if (!compiled)
      return sparsam_tools::fail(tool, llvm::toString(compiled.takeError()));
    program = std::move(*compiled);
    llvm::append_range(passes, program->times());
    for (const auto &[name, time] : passes)
      total += time;
    return success();
  }

  const FunctionTable &table() const override { return program->table(); }
  double seconds() const override { return total; }

private:
  std::unique_ptr<Program> program;
  double total = 0;
};

} // namespace

extern "C" CompiledFile *sparsamRunCompile(const Options &options) {
  auto compiled = std::make_unique<CompiledModule>();
  return succeeded(compiled->compile(options)) ? compiled.release() : nullptr;
}
