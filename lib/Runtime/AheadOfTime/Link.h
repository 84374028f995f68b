#ifndef SPARSAM_LIB_RUNTIME_LINK_H
#define SPARSAM_LIB_RUNTIME_LINK_H

#include "../Program/MachineCode.h"

namespace mlir::sparsam {

struct LinkOptions {
  /// The symbols that stay visible; `*` stands for anything.
  std::vector<std::string> exported;
  /// What programs that are linked with the library know it by, if they may be.
  std::string name;
  /// Whether the runtime library is to be found where it is on this machine, too. In a
  /// process that has it already, it need not be.
  bool findRuntime = false;
};

/// The shared library of object files, which needs nothing but the runtime library.
llvm::Expected<std::string> linkShared(const ObjectFiles &files,
                                       const LinkOptions &options);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_RUNTIME_LINK_H
