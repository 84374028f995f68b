#ifndef SPARSAM_IR_SPARSAMDIALECT
#define SPARSAM_IR_SPARSAMDIALECT

include "mlir/IR/OpBase.td"

def Sparsam_Dialect : Dialect {
  let name = "sparsam";
  let cppNamespace = "::mlir::sparsam";
  let summary = "Structured parameters of neural-network training steps";
  let description = [{
    A *structure* says how one parameter of a training step is represented: as a
    pattern of stored entries (`#sparsam.nm`) or as an einsum of smaller factors
    (`#sparsam.low_rank`). It is an attribute, and on a function's boundary it is
    the encoding of the parameter's tensor type. Its *storage* is a few plain
    tensors. The dialect's operations convert between the two
    (`densify`, `restrict`, `select`, `factorize`) and compute on the storage
    alone (`spmm`, `sddmm`, `einsum`).
  }];

  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];

  // No useDefaultAttributePrinterParser: structures come from many rooms and
  // from outside the tree, so the dialect finds them in a table at run time.
  let extraClassDeclaration = [{
    ::mlir::Attribute parseAttribute(::mlir::DialectAsmParser &parser,
                                     ::mlir::Type type) const override;
    void printAttribute(::mlir::Attribute attr,
                        ::mlir::DialectAsmPrinter &printer) const override;

    /// Adds a structure; doing so again changes nothing.
    template <typename StructureT> void addStructure();

    /// Parses what follows the mnemonic of a structure, which stands at `loc`.
    ::mlir::Attribute parseStructure(::mlir::AsmParser &parser,
                                     ::llvm::StringRef mnemonic,
                                     ::llvm::SMLoc loc) const;

    /// The mnemonics of all structures that are registered, sorted.
    ::llvm::SmallVector<::llvm::StringRef> getStructureMnemonics() const;

  private:
    struct Syntax {
      ::llvm::StringRef mnemonic;
      ::mlir::Attribute (*parse)(::mlir::AsmParser &, ::mlir::Type);
      void (*print)(::mlir::Attribute, ::mlir::AsmPrinter &);
    };
    /// False where `id` is here already. Two structures of one mnemonic are fatal.
    bool addSyntax(::mlir::TypeID id, Syntax syntax);

    ::llvm::StringMap<::mlir::TypeID> mnemonics;
    ::llvm::DenseMap<::mlir::TypeID, Syntax> syntaxes;
  }];
}

#endif // SPARSAM_IR_SPARSAMDIALECT
