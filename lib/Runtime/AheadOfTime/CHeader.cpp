// The header of a shared library, to be read by people.

#include "CFunctions.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

std::string guardOf(StringRef library) {
  std::string guard = "SPARSAM_GENERATED_";
  for (char c : library)
    guard += llvm::isAlnum(c) ? llvm::toUpper(c) : '_';
  return guard + "_H";
}

StringRef describe(const ProgramArgument &argument) {
  switch (argument.role) {
  case ProgramArgument::Role::Input:
    return "read";
  case ProgramArgument::Role::Updated:
    return "updated";
  case ProgramArgument::Role::Result:
  case ProgramArgument::Role::Workspace:
    break;
  }
  return "written";
}

/// What can stand in a comment.
std::string plain(StringRef text) {
  std::string safe;
  for (char c : text)
    safe += llvm::isPrint(c) && c != '*' ? c : '?';
  return safe;
}

std::string typeOf(const ProgramArgument &argument) {
  const ElementType *type = findElementType(argument.elementType);
  std::string name = type ? std::string(type->c) : "void";
  if (argument.isUnsigned())
    name = "u" + name;
  return (argument.isWritten() ? "" : "const ") + name;
}

/// Its path, if it has one.
std::string placeOf(const ProgramArgument &argument, size_t number) {
  std::string label = argumentLabel(argument, number);
  size_t quote = label.find('\'');
  return quote == std::string::npos ? "" : ", " + plain(label.substr(quote));
}

void printFunction(llvm::raw_ostream &out, const CFunction &wanted) {
  const ProgramFunction &function = *wanted.function;
  std::string upper = StringRef(wanted.name).upper();
  out << "/* The bytes of scratch memory that " << wanted.name << " works in. */\n"
      << "#define " << upper << "_WORKSPACE_BYTES ((size_t)" << function.workspaceBytes
      << ")\n\n/* " << plain(function.name) << ":\n";
  size_t next = 0;
  for (auto [number, argument] : llvm::enumerate(function.arguments)) {
    if (argument.isWorkspace())
      continue;
    out << " *   " << wanted.parameters[next++] << ": " << describe(argument) << ", "
        << plain(arrayText(argument)) << placeOf(argument, number) << "\n";
  }
  out << " *   workspace: " << upper
      << "_WORKSPACE_BYTES bytes at a multiple of 64, or null where that is 0\n"
      << " * 0 if all went well; sparsam_last_error() says what did not. */\n"
      << "int " << wanted.name << "(";
  next = 0;
  for (const ProgramArgument &argument : function.arguments)
    if (!argument.isWorkspace())
      out << typeOf(argument) << " *" << wanted.parameters[next++] << ", ";
  out << "void *workspace);\n\n";
}

} // namespace

std::string sparsam::printHeader(ArrayRef<CFunction> functions, StringRef library,
                                 const Cpu &cpu) {
  std::string text, guard = guardOf(library);
  llvm::raw_string_ostream out(text);
  out << "/* Written by Sparsam " << SPARSAM_VERSION << " for CPU " << cpu.name
      << ".\n"
         " * Functions on dense row-major arrays; 16-bit floats are their bits. Arrays "
         "that are\n"
         " * updated or written must not overlap any other, which is checked. What is in "
         "an array\n"
         " * is not: the caller sees to it that each has the element type and the shape "
         "that is\n"
         " * told here, and that index arrays are as Sparsam made them.\n"
         " * Link with libSparsamRuntime. Calls have a thread a core, or "
         "OMP_NUM_THREADS; "
         "the\n"
         " * function sparsam_set_num_threads of sparsam/Runtime/Runtime.h sets another "
         "number. */\n"
      << "#ifndef " << guard << "\n#define " << guard << "\n\n"
      << "#include <stddef.h>\n#include <stdint.h>\n\n"
      << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
      << "/* What the latest call of this thread failed with, or an empty text. */\n"
      << "const char *sparsam_last_error(void);\n\n";
  for (const CFunction &function : functions)
    printFunction(out, function);
  out << "#ifdef __cplusplus\n}\n#endif\n\n#endif /* " << guard << " */\n";
  return text;
}
