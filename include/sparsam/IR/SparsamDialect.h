#ifndef SPARSAM_IR_SPARSAMDIALECT_H
#define SPARSAM_IR_SPARSAMDIALECT_H

#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/DialectRegistry.h"
#include "sparsam/IR/Structure.h"
#include "llvm/ADT/StringMap.h"

#include "sparsam/IR/SparsamDialect.h.inc"

namespace mlir::sparsam {

template <typename StructureT> void SparsamDialect::addStructure() {
  Syntax syntax{StructureT::getMnemonic(),
                [](AsmParser &parser, Type type) -> Attribute {
                  return StructureT::parse(parser, type);
                },
                [](Attribute attr, AsmPrinter &printer) {
                  llvm::cast<StructureT>(attr).print(printer);
                }};
  if (addSyntax(TypeID::get<StructureT>(), syntax))
    addAttributes<StructureT>();
}

/// Adds structures to the dialect wherever the registry's dialect is loaded, or
/// at once where it is loaded already. This is all that a room, or a plugin from
/// outside the tree, has to call; it must do so in the file that includes the
/// structure's .cpp.inc, which alone knows the attribute's storage.
template <typename... StructureTs> void registerStructures(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *, SparsamDialect *dialect) {
    (dialect->addStructure<StructureTs>(), ...);
  });
}

} // namespace mlir::sparsam

#endif // SPARSAM_IR_SPARSAMDIALECT_H
