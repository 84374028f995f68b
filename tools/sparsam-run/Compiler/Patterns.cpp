#include "Patterns.h"

#include "sparsam/IR/Structure.h"
#include "sparsam/Transforms/Boundary.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace mlir;
using namespace mlir::sparsam;
using namespace sparsam_run;

namespace {

/// What the functions of a program tell about a parameter.
struct Parameter {
  const std::string *structure = nullptr;
  const std::vector<int64_t> *shape = nullptr;
};

Parameter findParameter(const Program &program, llvm::StringRef path) {
  Parameter found;
  for (const ProgramFunction &function : program.functions())
    for (const ProgramArgument &argument : function.arguments) {
      const std::string *param = argument.text(boundary::param);
      if (!param || *param != path)
        continue;
      if (const std::string *structure = argument.text(boundary::structure))
        found.structure = structure;
      // What a companion takes or gives as a whole is dense.
      if (!argument.text(boundary::part))
        found.shape = &argument.shape;
    }
  return found;
}

/// Unsigned, as storage reads its indices.
std::vector<int64_t> readIndices(const ProgramArgument &argument, const void *data) {
  unsigned width = findElementType(argument.elementType)->bytes;
  std::vector<int64_t> indices(argument.bytes / width);
  for (auto [position, index] : llvm::enumerate(indices)) {
    uint64_t value = 0;
    std::memcpy(&value, static_cast<const char *>(data) + position * width, width);
    index = static_cast<int64_t>(value);
  }
  return indices;
}

} // namespace

Outcome sparsam_run::checkPatterns(const Program &program,
                                   const std::vector<NamedArgument> &arguments,
                                   const std::vector<void *> &data,
                                   const std::string &path, MLIRContext &context) {
  std::map<std::string, std::vector<std::vector<int64_t>>> patterns;
  std::map<std::string, std::string> names;
  for (auto [named, array] : llvm::zip_equal(arguments, data)) {
    const ProgramArgument &argument = *named.argument;
    const std::string *param = argument.text(boundary::param);
    if (!named.isRead() || !param || !argument.text(boundary::part) ||
        findElementType(argument.elementType)->kind != 'i')
      continue;
    patterns[*param].push_back(readIndices(argument, array));
    names[*param] = named.name;
  }
  for (const auto &[param, pattern] : patterns) {
    Parameter parameter = findParameter(program, param);
    if (!parameter.structure || !parameter.shape) {
      llvm::errs() << "sparsam-run: note: '" << names[param]
                   << "' is not checked: no function here has '" << param
                   << "' as a dense tensor\n";
      continue;
    }
    std::string reason;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      if (reason.empty())
        reason = diagnostic.str();
      return success();
    });
    llvm::SmallVector<llvm::ArrayRef<int64_t>> arrays(pattern.begin(), pattern.end());
    if (failed(verifyPattern(*parameter.structure, *parameter.shape, arrays,
                             UnknownLoc::get(&context))))
      return Failure{"'" + path + "': array '" + names[param] + "' is no pattern of " +
                     *parameter.structure + ": " + reason};
  }
  return {};
}
