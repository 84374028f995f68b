// sparsam._core: the C++ API as Python sees it. See sparsam/_core.pyi.

#include "Arrays.h"
#include "Module.h"
#include "sparsam/Runtime/Runtime.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace mlir::sparsam;
using namespace sparsam_python;

namespace {

nb::dict toPython(const AttributeTable &table) {
  nb::dict result;
  for (const auto &[name, value] : table)
    result[name.c_str()] = std::visit([](const auto &v) { return nb::cast(v); }, value);
  return result;
}

nb::dict toPython(const PhaseTimes &times) {
  nb::dict result;
  for (const auto &[name, seconds] : times)
    result[name.c_str()] = seconds;
  return result;
}

nb::dict toPython(const ValueSignature &value) {
  nb::dict result;
  result["type"] = value.type;
  result["dtype"] = dtypeName(value.elementType);
  nb::list shape;
  for (int64_t extent : value.shape)
    shape.append(mlir::ShapedType::isDynamic(extent) ? nb::none() : nb::cast(extent));
  result["shape"] = nb::tuple(shape);
  result["attributes"] = toPython(value.attributes);
  return result;
}

nb::list toPython(const std::vector<ValueSignature> &values) {
  nb::list result;
  for (const ValueSignature &value : values)
    result.append(toPython(value));
  return result;
}

nb::list toPython(const std::vector<FunctionSignature> &functions) {
  nb::list result;
  for (const FunctionSignature &function : functions) {
    nb::dict entry;
    entry["name"] = function.name;
    entry["public"] = function.isPublic;
    entry["arguments"] = toPython(function.arguments);
    entry["results"] = toPython(function.results);
    result.append(entry);
  }
  return result;
}

nb::dict toPython(const FlopCount &count) {
  nb::dict result;
  for (auto [kind, flops] : FlopCount::getKinds())
    result[kind.str().c_str()] = count.*flops;
  return result;
}

const char *roleName(ProgramArgument::Role role) {
  switch (role) {
  case ProgramArgument::Role::Input:
    return "input";
  case ProgramArgument::Role::Updated:
    return "updated";
  case ProgramArgument::Role::Result:
    return "result";
  case ProgramArgument::Role::Workspace:
    return "workspace";
  }
  return "";
}

nb::list programFunctions(const Program &program) {
  nb::list result;
  for (const ProgramFunction &function : program.functions()) {
    nb::list arguments;
    for (const ProgramArgument &argument : function.arguments) {
      if (argument.role == ProgramArgument::Role::Workspace)
        continue;
      nb::dict entry = toPython(static_cast<const ValueSignature &>(argument));
      entry["role"] = roleName(argument.role);
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

std::string knownFunctions(const Program &program) {
  std::string names;
  for (const ProgramFunction &function : program.functions())
    names += (names.empty() ? "'" : ", '") + function.name + "'";
  return names;
}

void call(Program &program, const std::string &name, nb::sequence arrays) {
  const ProgramFunction *function = program.find(name);
  if (!function)
    throw nb::value_error(("no function '" + name + "' in this program, which has " +
                           knownFunctions(program))
                              .c_str());
  size_t count = nb::len(arrays);
  if (count != function->callerArguments())
    throw nb::value_error(("function '" + name + "' takes " +
                           std::to_string(function->callerArguments()) +
                           " arrays, and got " + std::to_string(count))
                              .c_str());
  std::vector<nb::ndarray<nb::ro>> owners(count);
  std::vector<void *> pointers;
  for (auto [i, argument] : llvm::enumerate(function->arguments))
    if (argument.role != ProgramArgument::Role::Workspace) {
      size_t k = pointers.size();
      pointers.push_back(arrayData(arrays[k], argument, i, owners[k]));
    }
  std::string message;
  {
    nb::gil_scoped_release unlocked;
    if (llvm::Error error = program.call(*function, pointers))
      message = llvm::toString(std::move(error));
  }
  if (!message.empty())
    throw std::runtime_error(message);
}

nb::list messages(const Module &module) {
  nb::list result;
  for (const Message &message : module.diagnostics()) {
    nb::dict entry;
    entry["severity"] = message.severity;
    entry["location"] = message.location;
    entry["message"] = message.text;
    entry["text"] = message.located();
    result.append(entry);
  }
  return result;
}

using Indices = nb::ndarray<const int64_t, nb::c_contig, nb::device::cpu>;
using Unlocked = nb::call_guard<nb::gil_scoped_release>;

void bindModule(nb::module_ &m) {
  nb::class_<Module>(m, "Module", "An MLIR module; see _core.pyi.")
      .def_static("parse", &Module::parse, "text"_a, "name"_a = "<string>", Unlocked())
      .def("clone", &Module::clone, Unlocked())
      .def("run", &Module::run, "pipeline"_a, Unlocked())
      .def("text", &Module::text, nb::kw_only(), "locations"_a = false,
           "generic"_a = false, Unlocked())
      .def("functions", [](Module &module) { return toPython(module.functions()); })
      .def("groups",
           [](Module &module) {
             nb::list result;
             for (const Group &group : module.groups()) {
               nb::dict entry;
               entry["name"] = group.name;
               entry["size"] = group.size;
               entry["members"] = nb::cast(group.members);
               entry["obstacle"] = group.obstacle;
               result.append(entry);
             }
             return result;
           })
      .def_prop_ro("attributes",
                   [](Module &module) { return toPython(module.attributes()); })
      .def("flops",
           [](Module &module) {
             nb::dict result;
             for (const auto &[name, count] : module.flops())
               result[name.c_str()] = toPython(count);
             return result;
           })
      .def_prop_ro("at_boundary", &Module::atBoundary)
      .def_prop_ro("diagnostics", &messages)
      .def_prop_ro("seconds", [](Module &module) { return toPython(module.passTimes()); })
      .def(
          "compile",
          [](Module &module, const std::string &pipeline, unsigned threads,
             bool profile) {
            CompileOptions options;
            if (!pipeline.empty())
              options.pipeline = pipeline;
            options.threads = threads;
            options.profile = profile;
            return module.compile(options);
          },
          nb::kw_only(), "pipeline"_a = "", "threads"_a = 0, "profile"_a = false,
          Unlocked());
}

} // namespace

NB_MODULE(_core, m) {
  m.doc() = "The compiler and the programs that it makes; the package sparsam is the "
            "interface for people.";
  // NOLINTNEXTLINE(bugprone-unused-raii,bugprone-throw-keyword-missing): it registers.
  nb::exception<CompileError>(m, "CompileError", PyExc_RuntimeError);
  bindModule(m);
  nb::class_<Program>(m, "Program", "Compiled functions; see _core.pyi.")
      .def("functions", &programFunctions)
      .def("call", &call, "name"_a, "arrays"_a)
      .def_prop_ro("seconds", [](Program &program) { return toPython(program.times()); });
  m.def("load_plugin", &loadPlugin, "path"_a);
  m.def(
      "check_pattern",
      [](const std::string &structure, const std::vector<int64_t> &shape,
         const std::vector<Indices> &indices) {
        std::vector<llvm::ArrayRef<int64_t>> pattern;
        for (const Indices &array : indices)
          pattern.emplace_back(array.data(), array.size());
        std::string reason = checkPattern(structure, shape, pattern);
        if (!reason.empty())
          throw nb::value_error(reason.c_str());
      },
      "structure"_a, "shape"_a, "indices"_a);
  m.def(
      "pinned_structure",
      [](const std::string &structure, const std::vector<int64_t> &shape) {
        return pinnedStructure(structure, shape);
      },
      "structure"_a, "shape"_a);
  m.def(
      "structure_cost",
      [](const std::string &structure, const std::vector<int64_t> &shape) {
        auto cost = structureCost(structure, shape);
        nb::dict result;
        result["entries"] = cost.entries;
        result["bytes"] = cost.bytes;
        result["flops_per_row"] = cost.flopsPerRow;
        result["gradient_flops_per_row"] = cost.gradientFlopsPerRow;
        return result;
      },
      "structure"_a, "shape"_a);
  m.def(
      "describe_pattern",
      [](const std::string &structure, const std::vector<int64_t> &shape) -> nb::object {
        auto info = describePattern(structure, shape);
        if (!info)
          return nb::none();
        auto list = [](llvm::ArrayRef<int64_t> dims) {
          return std::vector<int64_t>(dims.begin(), dims.end());
        };
        nb::dict entry;
        entry["stack"] = list(info->stack);
        entry["inputs"] = list(info->in);
        entry["outputs"] = list(info->out);
        entry["unit"] = info->unit;
        entry["entries"] = info->entries;
        return entry;
      },
      "structure"_a, "shape"_a);
  m.def("with_density", &withDensity, "structure"_a, "density"_a);
  m.def(
      "sliced_axes",
      [](const std::string &structure, const std::vector<int64_t> &shape) {
        auto [groups, kept] = slicedAxes(structure, shape);
        return nb::make_tuple(nb::cast(groups), nb::cast(kept));
      },
      "structure"_a, "shape"_a);
  m.def("take_profile", [] {
    nb::list result;
    for (const ProfileEntry &entry : takeProfile())
      result.append(nb::make_tuple(entry.name, entry.calls, entry.seconds));
    return result;
  });
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
