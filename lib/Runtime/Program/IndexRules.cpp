// Which arguments of a program are index tensors, and what they must hold.

#include "Objects.h"
#include "sparsam/IR/Structure.h"
#include "sparsam/Transforms/Boundary.h"

#include "mlir/IR/BuiltinTypes.h"

#include <map>

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// What the functions of a program tell about a parameter.
struct Parameter {
  const std::string *structure = nullptr;
  const std::vector<int64_t> *shape = nullptr;
};

std::map<std::string, Parameter> findParameters(ArrayRef<ProgramFunction> functions) {
  std::map<std::string, Parameter> parameters;
  for (const ProgramFunction &function : functions)
    for (const ProgramArgument &argument : function.arguments) {
      const std::string *path = argument.text(boundary::param);
      if (!path)
        continue;
      Parameter &parameter = parameters[*path];
      if (const std::string *structure = argument.text(boundary::structure))
        parameter.structure = structure;
      // What a companion takes or gives as a whole is dense.
      if (!argument.text(boundary::part))
        parameter.shape = &argument.shape;
    }
  return parameters;
}

/// None where the program does not tell enough, or the structure cannot.
SmallVector<IndexRule> findRules(const Parameter &parameter, MLIRContext &context) {
  if (!parameter.structure || !parameter.shape)
    return {};
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
  Location loc = UnknownLoc::get(&context);
  auto structure = parseStructure(*parameter.structure, loc);
  if (failed(structure))
    return {};
  // The element type says nothing about a pattern.
  auto type = RankedTensorType::get(*parameter.shape, Float32Type::get(&context));
  auto rules = getIndexRules(*structure, type, [&] { return emitError(loc); });
  return failed(rules) ? SmallVector<IndexRule>() : *rules;
}

} // namespace

void sparsam::addIndexRules(MutableArrayRef<ProgramFunction> functions,
                            MLIRContext &context) {
  std::map<std::string, SmallVector<IndexRule>> known;
  for (const auto &[path, parameter] : findParameters(functions))
    known[path] = findRules(parameter, context);
  for (ProgramFunction &function : functions) {
    std::map<std::string, size_t> count;
    for (ProgramArgument &argument : function.arguments) {
      if (!argument.isIndex())
        continue;
      const std::string &path = *argument.text(boundary::param);
      const SmallVector<IndexRule> &rules = known[path];
      size_t number = count[path]++;
      if (number < rules.size())
        argument.index = rules[number];
    }
  }
}
