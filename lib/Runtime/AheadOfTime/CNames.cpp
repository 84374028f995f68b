// Names in C for what has other names in a framework.

#include "CFunctions.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Of C and of C++, of the length that a parameter may have.
constexpr llvm::StringLiteral keywords[] = {
    "alignas",   "alignof",   "and",      "asm",      "auto",     "bool",     "break",
    "case",      "catch",     "char",     "class",    "compl",    "concept",  "const",
    "continue",  "decltype",  "default",  "delete",   "do",       "double",   "else",
    "enum",      "explicit",  "export",   "extern",   "false",    "float",    "for",
    "friend",    "goto",      "if",       "inline",   "int",      "long",     "mutable",
    "namespace", "new",       "noexcept", "not",      "nullptr",  "operator", "or",
    "private",   "protected", "public",   "register", "requires", "restrict", "return",
    "short",     "signed",    "sizeof",   "static",   "struct",   "switch",   "template",
    "this",      "throw",     "true",     "try",      "typedef",  "typeid",   "typename",
    "typeof",    "union",     "unsigned", "using",    "virtual",  "void",     "volatile",
    "while",     "xor"};

/// The text with `_` for what no identifier has; never empty, no keyword.
std::string identifier(StringRef text, StringRef prefix) {
  std::string name;
  for (char c : text)
    name += llvm::isAlnum(c) ? c : '_';
  if (name.empty() || llvm::isDigit(name.front()) || name.front() == '_')
    name = prefix.str() + name;
  if (llvm::is_contained(keywords, StringRef(name)))
    name += '_';
  return name;
}

/// Another than those taken, also in capitals, as in the names of macros.
std::string unique(std::string name, llvm::StringSet<> &taken) {
  std::string candidate = name;
  for (unsigned count = 2; !taken.insert(StringRef(candidate).upper()).second; ++count)
    candidate = name + "_" + std::to_string(count);
  return candidate;
}

std::string parameterName(const ProgramArgument &argument, size_t number) {
  const std::string *name = argument.text("sparsam.name");
  if (!name)
    name = argument.text("sparsam.param");
  if (!name)
    return (argument.role == ProgramArgument::Role::Result
                ? "result" + llvm::Twine(argument.result)
                : "arg" + llvm::Twine(number))
        .str();
  const std::string *part = argument.text("sparsam.part");
  return identifier(part ? *name + "/" + *part : *name, "arg");
}

} // namespace

std::vector<CFunction> sparsam::nameCFunctions(ArrayRef<ProgramFunction> functions,
                                               StringRef library) {
  std::vector<CFunction> named;
  llvm::StringSet<> names;
  for (const ProgramFunction &function : functions) {
    std::string whole = identifier(library, "lib") + "_" + identifier(function.name, "f");
    CFunction next{&function, unique(whole, names), {}};
    llvm::StringSet<> parameters;
    parameters.insert("WORKSPACE");
    for (const ElementType &type : knownElementTypes())
      for (const std::string &name : {std::string(type.c), "u" + std::string(type.c)})
        parameters.insert(StringRef(name).upper());
    for (const ProgramArgument &argument : function.arguments)
      if (!argument.isWorkspace())
        next.parameters.push_back(
            unique(parameterName(argument, next.parameters.size()), parameters));
    named.push_back(std::move(next));
  }
  return named;
}
