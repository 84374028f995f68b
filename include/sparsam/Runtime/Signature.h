#ifndef SPARSAM_RUNTIME_SIGNATURE_H
#define SPARSAM_RUNTIME_SIGNATURE_H

#include "sparsam/Bundle/Signature.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::sparsam {

struct FunctionSignature {
  std::string name;
  bool isPublic;
  std::vector<ValueSignature> arguments;
  std::vector<ValueSignature> results;
};

AttributeTable describe(DictionaryAttr attributes);
FunctionSignature describe(FunctionOpInterface function);

/// The defined functions of a module, in order, private ones included.
std::vector<FunctionSignature> describeFunctions(ModuleOp module);

} // namespace mlir::sparsam

#endif // SPARSAM_RUNTIME_SIGNATURE_H
