#include "Calls.h"
#include "Arrays.h"
#include "sparsam/Runtime/Runtime.h"

#include <limits>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace mlir::sparsam;
using namespace sparsam_python;

nb::dict sparsam_python::describeAttributes(const AttributeTable &table) {
  nb::dict result;
  for (const auto &[name, value] : table)
    result[name.c_str()] = std::visit([](const auto &v) { return nb::cast(v); }, value);
  return result;
}

nb::dict sparsam_python::describeValue(const ValueSignature &value) {
  // MLIR's ShapedType::kDynamic.
  constexpr int64_t dynamic = std::numeric_limits<int64_t>::min();
  nb::dict result;
  result["type"] = value.type;
  result["dtype"] = findElementType(value.elementType) ? elementText(value) : "";
  nb::list shape;
  for (int64_t extent : value.shape)
    shape.append(extent == dynamic ? nb::none() : nb::cast(extent));
  result["shape"] = nb::tuple(shape);
  result["attributes"] = describeAttributes(value.attributes);
  return result;
}

nb::list sparsam_python::describeFunctions(const FunctionTable &program) {
  nb::list result;
  for (const ProgramFunction &function : program.functions()) {
    nb::list arguments;
    for (const ProgramArgument &argument : function.arguments) {
      if (argument.isWorkspace())
        continue;
      nb::dict entry = describeValue(argument);
      entry["role"] = std::string(roleName(argument.role));
      entry["result"] = argument.result < 0 ? nb::none() : nb::cast(argument.result);
      entry["bytes"] = argument.bytes;
      arguments.append(entry);
    }
    nb::dict entry;
    entry["name"] = function.name;
    entry["arguments"] = arguments;
    entry["workspace_bytes"] = function.workspaceBytes;
    result.append(entry);
  }
  return result;
}

void sparsam_python::call(const FunctionTable &program, const std::string &name,
                          nb::sequence arrays) {
  const ProgramFunction *function = program.find(name);
  if (!function)
    throw nb::value_error(("no function '" + name + "' in this program, which has " +
                           functionNames(program.functions()))
                              .c_str());
  size_t count = nb::len(arrays);
  if (count != function->callerArguments())
    throw nb::value_error(("function '" + name + "' takes " +
                           std::to_string(function->callerArguments()) +
                           " arrays, and got " + std::to_string(count))
                              .c_str());
  std::vector<HeldArray> held(count);
  std::vector<void *> pointers;
  for (size_t i = 0; i < function->arguments.size(); ++i)
    if (!function->arguments[i].isWorkspace()) {
      size_t k = pointers.size();
      pointers.push_back(held[k].hold(arrays[k], function->arguments[i], i));
    }
  std::string message;
  {
    nb::gil_scoped_release unlocked;
    Outcome outcome = program.call(*function, pointers.data(), pointers.size());
    if (outcome.failed())
      message = outcome.reason();
  }
  if (!message.empty())
    throw std::runtime_error(message);
}

void sparsam_python::bindThreads(nb::module_ &m) {
  m.def(
      "set_num_threads",
      [](int32_t threads) {
        constexpr int32_t most = SPARSAM_MAX_THREADS;
        if (threads < 0 || threads > most)
          throw nb::value_error(("threads must be from 0 to " + std::to_string(most) +
                                 ", found " + std::to_string(threads))
                                    .c_str());
        sparsam_set_num_threads(threads);
      },
      "threads"_a);
  m.def("num_threads", &sparsam_num_threads);
}
