// sparsam._runtime: programs that were compiled ahead of time, and what all programs
// share. It needs no LLVM. See sparsam/_runtime.pyi.

#include "Arrays.h"
#include "Calls.h"
#include "sparsam/Bundle/Bundle.h"
#include "sparsam/Bundle/Patterns.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace mlir::sparsam;
using namespace sparsam_python;

namespace {

/// What goes wrong with a bundle is about a file.
[[noreturn]] void fileError(const std::string &reason) {
  PyErr_SetString(PyExc_OSError, reason.c_str());
  throw nb::python_error();
}

std::unique_ptr<Bundle> openBundle(const std::string &path) {
  Result<std::unique_ptr<Bundle>> opened = Bundle::open(path);
  if (opened.failed())
    fileError(opened.reason());
  return std::move(*opened);
}

std::string readMember(const Bundle &bundle, const std::string &name) {
  Result<std::string> contents = bundle.read(name);
  if (contents.failed())
    fileError(contents.reason());
  return *contents;
}

/// The number of the array and the reason, of the first that is no pattern.
nb::object checkArrays(const Bundle &bundle, const std::string &name,
                       nb::sequence arrays) {
  const ProgramFunction *function = bundle.table().find(name);
  if (!function || nb::len(arrays) != function->callerArguments())
    throw nb::value_error(("no function '" + name + "' of so many arrays").c_str());
  std::vector<HeldArray> held(nb::len(arrays));
  std::vector<void *> pointers;
  for (size_t i = 0; i < function->arguments.size(); ++i) {
    if (function->arguments[i].isWorkspace())
      continue;
    size_t k = pointers.size();
    nb::object array = arrays[k];
    pointers.push_back(array.is_none() ? nullptr
                                       : held[k].hold(array, function->arguments[i], i));
  }
  auto fault = checkPatterns(*function, pointers.data());
  if (!fault)
    return nb::none();
  return nb::make_tuple(fault->argument, fault->reason);
}

} // namespace

NB_MODULE(_runtime, m) {
  m.doc() = "Bundles and threads; the package sparsam is the interface for people.";
  nb::class_<Bundle>(m, "Bundle", "A bundle in memory; see _runtime.pyi.")
      .def_static("open", &openBundle, "path"_a)
      .def("functions", [](const Bundle &b) { return describeFunctions(b.table()); })
      .def(
          "call",
          [](const Bundle &bundle, const std::string &name, nb::sequence arrays) {
            call(bundle.table(), name, arrays);
          },
          "name"_a, "arrays"_a)
      .def("check_patterns", &checkArrays, "name"_a, "arrays"_a)
      .def("read", &readMember, "name"_a)
      .def_prop_ro("files",
                   [](const Bundle &b) {
                     std::vector<std::string> names;
                     for (const BundleFile &file : b.manifest().files)
                       names.push_back(file.name);
                     return names;
                   })
      .def_prop_ro("cpu", [](const Bundle &b) { return b.variant().cpu; })
      .def_prop_ro("cpus", [](const Bundle &b) {
        std::vector<std::string> names;
        for (const BundleVariant &variant : b.manifest().variants)
          names.push_back(variant.cpu);
        return names;
      });
  m.attr("version") = SPARSAM_VERSION;
  bindThreads(m);
}
