#include "Patterns.h"
#include "Steps.h"

#include "sparsam/IR/Structure.h"
#include "sparsam/Transforms/Boundary.h"

#include "mlir/IR/BuiltinTypes.h"
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
std::vector<int64_t> readIndices(const Array &array) {
  std::vector<int64_t> indices(array.bytes() / array.itemBytes);
  for (auto [position, index] : llvm::enumerate(indices)) {
    uint64_t value = 0;
    std::memcpy(&value, array.data() + position * array.itemBytes, array.itemBytes);
    index = static_cast<int64_t>(value);
  }
  return indices;
}

} // namespace

llvm::Error sparsam_run::checkPatterns(const Program &program,
                                       const ProgramFunction &function,
                                       const Arrays &given, const std::string &path,
                                       MLIRContext &context) {
  std::map<std::string, std::vector<std::vector<int64_t>>> patterns;
  std::map<std::string, std::string> names;
  for (const NamedArgument &named : namedArguments(function)) {
    const ProgramArgument &argument = *named.argument;
    const std::string *param = argument.text(boundary::param);
    const ElementType *type = findElementType(argument.elementType);
    if (!named.isRead() || !param || !argument.text(boundary::part) || !type ||
        type->kind != 'i')
      continue;
    auto found = given.find(named.name);
    if (found == given.end())
      found = given.find(named.position());
    if (found == given.end() || found->second.itemBytes != type->bytes ||
        found->second.shape != argument.shape)
      return llvm::Error::success();
    patterns[*param].push_back(readIndices(found->second));
    names[*param] = found->first;
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
    Location loc = UnknownLoc::get(&context);
    auto structure = parseStructure(*parameter.structure, loc);
    // The element type says nothing about a pattern.
    auto type = RankedTensorType::get(*parameter.shape, Float32Type::get(&context));
    llvm::SmallVector<llvm::ArrayRef<int64_t>> arrays(pattern.begin(), pattern.end());
    if (failed(structure) ||
        failed(verifyPattern(*structure, type, arrays, [&] { return emitError(loc); })))
      return llvm::createStringError("'" + path + "': array '" + names[param] +
                                     "' is no pattern of " + *parameter.structure + ": " +
                                     reason);
  }
  return llvm::Error::success();
}
