// sparsam._core: the C++ API as Python sees it. See sparsam/_core.pyi.

#include "Calls.h"
#include "Module.h"
#include "Tiles.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
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

nb::dict toPython(const PhaseTimes &times) {
  nb::dict result;
  for (const auto &[name, seconds] : times)
    result[name.c_str()] = seconds;
  return result;
}

nb::list toPython(const std::vector<ValueSignature> &values) {
  nb::list result;
  for (const ValueSignature &value : values)
    result.append(describeValue(value));
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
                   [](Module &module) { return describeAttributes(module.attributes()); })
      .def("flops",
           [](Module &module) {
             nb::dict result;
             for (const auto &[name, count] : module.flops())
               result[name.c_str()] = toPython(count);
             return result;
           })
      .def("products", &describeProducts, nb::kw_only(), "cpu"_a = "", "threads"_a = 0,
           "tiles"_a = "")
      .def_prop_ro("at_boundary", &Module::atBoundary)
      .def_prop_ro("diagnostics", &messages)
      .def_prop_ro("seconds", [](Module &module) { return toPython(module.passTimes()); })
      .def(
          "compile",
          [](Module &module, const std::string &pipeline, unsigned threads,
             const std::string &cpu, bool profile) {
            CompileOptions options;
            if (!pipeline.empty())
              options.pipeline = pipeline;
            options.threads = threads;
            options.cpu = cpu;
            options.profile = profile;
            return module.compile(options);
          },
          nb::kw_only(), "pipeline"_a = "", "threads"_a = 0, "cpu"_a = "",
          "profile"_a = false, Unlocked())
      .def_static("write_bundle", &Module::writeBundle, "path"_a, "programs"_a, "files"_a,
                  Unlocked());
}

} // namespace

NB_MODULE(_core, m) {
  m.doc() = "The compiler and the programs that it makes; the package sparsam is the "
            "interface for people.";
  // The class is Python's, so that it is known before LLVM is loaded.
  nb::object errors = nb::module_::import_("sparsam._errors").attr("CompileError");
  m.attr("CompileError") = errors;
  nb::register_exception_translator(
      [](const std::exception_ptr &thrown, void *type) {
        try {
          std::rethrow_exception(thrown);
        } catch (const CompileError &error) {
          PyErr_SetString(static_cast<PyObject *>(type), error.what());
        }
      },
      errors.release().ptr());
  bindModule(m);
  bindTiles(m);
  nb::class_<Program>(m, "Program", "Compiled functions; see _core.pyi.")
      .def("functions", [](const Program &p) { return describeFunctions(p.table()); })
      .def(
          "call",
          [](const Program &program, const std::string &name, nb::sequence arrays) {
            call(program.table(), name, arrays);
          },
          "name"_a, "arrays"_a)
      .def_prop_ro("seconds", [](Program &program) { return toPython(program.times()); });
  m.def("load_plugin", &loadPlugin, "path"_a);
  m.def("check_cpu", &checkCpu, "name"_a);
  m.def("default_cpus", &getDefaultCpus);
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
  bindThreads(m);
}
