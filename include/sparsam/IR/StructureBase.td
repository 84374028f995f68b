#ifndef SPARSAM_IR_STRUCTUREBASE
#define SPARSAM_IR_STRUCTUREBASE

include "mlir/IR/AttrTypeBase.td"
include "sparsam/IR/SparsamDialect.td"
include "sparsam/IR/StructureInterface.td"

/// `in = [0, 1]`, the matrix view; left out where it is the default.
def Sparsam_ViewParameter : OptionalArrayRefParameter<"int64_t"> {
  let summary = "the parameter's dimensions that are inputs; [0] by default";
  let parser = "::mlir::sparsam::parseView($_parser)";
  let printer = "::mlir::sparsam::printView($_printer, $_self)";
}

/// `stack = [0]`; left out where the parameter is one matrix.
def Sparsam_StackParameter : OptionalArrayRefParameter<"int64_t"> {
  let summary = "the parameter's dimensions of stacked layers; none by default";
  let parser = "::mlir::sparsam::parseView($_parser)";
  let printer = "::mlir::sparsam::printView($_printer, $_self)";
}

/// `[24, 8]` that has to be there.
def Sparsam_ListParameter : ArrayRefParameter<"int64_t"> {
  let parser = "::mlir::sparsam::parseView($_parser)";
  let printer = "::mlir::sparsam::printView($_printer, $_self)";
}

/// A number, written as a float or an integer; left out by default.
class Sparsam_NumberParameter<string description>
    : OptionalParameter<"std::optional<::llvm::APFloat>", description> {
  let parser = "::mlir::sparsam::parseNumber($_parser)";
  let printer = "::mlir::sparsam::printNumber($_printer, *$_self)";
}

/// A structure that is part of another one; null where it is left out.
def Sparsam_InnerStructure : OptionalParameter<"::mlir::sparsam::StructureInterface"> {
  let parser = "::mlir::sparsam::parseInnerStructure($_parser)";
}

/// What every structure derives from, in this tree or outside it. `overrides`
/// names the interface's optional methods that the structure implements.
class Sparsam_Structure<string name, string structureMnemonic, list<string> overrides = []>
    : AttrDef<Sparsam_Dialect, name, [
        DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
        DeclareAttrInterfaceMethods<Sparsam_StructureInterface, overrides>]> {
  let mnemonic = structureMnemonic;
  let genVerifyDecl = 1;
}

/// What structures of a kind have in common: that their storage has to fit.
class Sparsam_StructureOfKind<string name, string structureMnemonic, string kind,
                              list<string> overrides>
    : Sparsam_Structure<name, structureMnemonic, overrides> {
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::verifyEncoding(
        ::llvm::ArrayRef<int64_t> shape, ::mlir::Type elementType,
        ::llvm::function_ref<::mlir::InFlightDiagnostic()> emitError) const {
      return ::mlir::sparsam::verifyStructure(*this, shape, elementType, emitError);
    }
    ::mlir::sparsam::StructureKind $cppClass::getKind() const {
      return ::mlir::sparsam::StructureKind::}] # kind # [{;
    }
  }];
}

/// Some entries of the matrix are stored, the rest are zero.
class Sparsam_Pattern<string name, string structureMnemonic, list<string> overrides = []>
    : Sparsam_StructureOfKind<name, structureMnemonic, "Pattern", overrides>;

/// The matrix is a sum of einsums of smaller tensors.
class Sparsam_Factors<string name, string structureMnemonic, list<string> overrides = []>
    : Sparsam_StructureOfKind<name, structureMnemonic, "Factors", overrides>;

#endif // SPARSAM_IR_STRUCTUREBASE
