#include "sparsam/Bundle/Manifest.h"

#include <zlib.h>

using namespace mlir::sparsam;

BundleFile BundleFile::describe(std::string name, const std::string &contents) {
  auto sum =
      crc32_z(0, reinterpret_cast<const Bytef *>(contents.data()), contents.size());
  return {std::move(name), contents.size(), static_cast<uint32_t>(sum)};
}

Result<std::vector<ProgramFunction>>
mlir::sparsam::addWorkspaces(std::vector<ProgramFunction> functions,
                             const BundleVariant &variant) {
  for (ProgramFunction &function : functions) {
    auto found = variant.workspaces.find(function.name);
    if (found == variant.workspaces.end())
      continue;
    const BundleWorkspace &workspace = found->second;
    if (workspace.position > function.arguments.size())
      return Failure{"the workspace of '" + function.name + "' has no place"};
    ProgramArgument argument;
    argument.elementType = "i8";
    argument.shape = {static_cast<int64_t>(workspace.bytes)};
    argument.role = ProgramArgument::Role::Workspace;
    argument.bytes = function.workspaceBytes = workspace.bytes;
    auto place = function.arguments.begin() + static_cast<ptrdiff_t>(workspace.position);
    function.arguments.insert(place, std::move(argument));
  }
  return functions;
}
