// The roles of arguments as both C interfaces give them.
#ifndef SPARSAM_BUNDLE_ARGUMENTROLE_H
#define SPARSAM_BUNDLE_ARGUMENTROLE_H

#include "sparsam-c/Bundle.h"
#include "sparsam/Bundle/Signature.h"

namespace mlir::sparsam {

/// A workspace, which callers do not pass, counts as an input.
inline SparsamArgumentRole roleInC(const ProgramArgument &argument) {
  switch (argument.role) {
  case ProgramArgument::Role::Updated:
    return SparsamArgumentRoleUpdated;
  case ProgramArgument::Role::Result:
    return SparsamArgumentRoleResult;
  case ProgramArgument::Role::Input:
  case ProgramArgument::Role::Workspace:
    break;
  }
  return SparsamArgumentRoleInput;
}

} // namespace mlir::sparsam

#endif // SPARSAM_BUNDLE_ARGUMENTROLE_H
