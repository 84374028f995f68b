#include "Patterns.h"
#include "sparsam/Bundle/Patterns.h"

#include <cstdio>

using namespace mlir::sparsam;
using namespace sparsam_run;

Outcome sparsam_run::checkIndexArrays(const ProgramFunction &function,
                                      const Bindings &bindings, const std::string &path) {
  std::vector<NamedArgument> arguments = namedArguments(function);
  for (const NamedArgument &named : arguments)
    if (named.isRead() && named.argument->isIndex() && !named.argument->index)
      std::fprintf(
          stderr,
          "sparsam-run: note: '%s' is not checked: no function here has '%s' as a "
          "dense tensor\n",
          named.name.c_str(), named.argument->text("sparsam.param")->c_str());
  auto fault = checkPatterns(function, bindings.pointers().data());
  if (!fault)
    return {};
  const NamedArgument &named = arguments[fault->argument];
  const std::string *structure = named.argument->text("sparsam.structure");
  return Failure{"'" + path + "': array '" + named.name + "' is no pattern of " +
                 (structure ? *structure : "its parameter") + ": " + fault->reason};
}
