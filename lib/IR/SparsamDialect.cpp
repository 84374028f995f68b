#include "sparsam/IR/SparsamDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/IR/SparsamOps.h"

using namespace mlir;
using namespace mlir::sparsam;

#include "sparsam/IR/SparsamDialect.cpp.inc"

void SparsamDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "sparsam/IR/SparsamOps.cpp.inc"
      >();
}

bool SparsamDialect::addSyntax(TypeID id, Syntax syntax) {
  auto [known, isNew] = mnemonics.try_emplace(syntax.mnemonic, id);
  if (!isNew && known->second != id)
    llvm::report_fatal_error("two structures named sparsam." + syntax.mnemonic);
  return syntaxes.try_emplace(id, syntax).second;
}

SmallVector<StringRef> SparsamDialect::getStructureMnemonics() const {
  SmallVector<StringRef> names(mnemonics.keys());
  llvm::sort(names);
  return names;
}

Attribute SparsamDialect::parseAttribute(DialectAsmParser &parser, Type type) const {
  StringRef mnemonic;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&mnemonic))
    return {};
  return parseStructure(parser, mnemonic, loc);
}

Attribute SparsamDialect::parseStructure(AsmParser &parser, StringRef mnemonic,
                                         SMLoc loc) const {
  auto known = mnemonics.find(mnemonic);
  if (known == mnemonics.end()) {
    parser.emitError(loc, "unknown structure `")
        << mnemonic << "`, expected one of " << llvm::join(getStructureMnemonics(), ", ");
    return {};
  }
  return syntaxes.lookup(known->second).parse(parser, Type());
}

void SparsamDialect::printAttribute(Attribute attr, DialectAsmPrinter &printer) const {
  Syntax syntax = syntaxes.lookup(attr.getTypeID());
  printer << syntax.mnemonic;
  syntax.print(attr, printer);
}
