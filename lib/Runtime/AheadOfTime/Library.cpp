// A program as a library for C.

#include "../Program/Objects.h"
#include "CFunctions.h"
#include "Link.h"
#include "sparsam/Bundle/Bundle.h"
#include "sparsam/Runtime/AheadOfTime.h"

#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::sparsam;
namespace path = llvm::sys::path;

namespace {

/// "step" for some/libstep.so
StringRef libraryName(StringRef file) {
  StringRef name = path::stem(file);
  name.consume_front("lib");
  return name;
}

struct Library {
  ObjectFiles files;
  std::vector<std::string> symbols;
  std::string header;
};

llvm::Expected<Library> compileLibrary(StringRef name, const LoweredProgram &program,
                                       const CompileOptions &options) {
  Library library;
  PhaseTimes times;
  auto finish = [&](llvm::Module &module, ArrayRef<ProgramFunction> functions) {
    std::vector<CFunction> named = nameCFunctions(functions, name);
    addCFunctions(module, named, requiredFeatures(program.cpu));
    library.header = printHeader(named, name, program.cpu);
    for (const CFunction &function : named)
      library.symbols.push_back(function.name);
    return library.symbols;
  };
  auto objects = compileObjects(program.module, program.cpu, options, times, finish);
  if (!objects)
    return objects.takeError();
  library.files = std::move(objects->files);
  return library;
}

/// The header last: where it is, the library is.
llvm::Error write(StringRef file, const std::string &contents, const Library &library) {
  SmallString<128> header(path::parent_path(file));
  path::append(header, libraryName(file) + ".h");
  Outcome outcome = replaceFile(file.str(), contents);
  if (!outcome.failed())
    outcome = replaceFile(header.str().str(), library.header);
  return outcome.failed() ? llvm::createStringError(outcome.reason())
                          : llvm::Error::success();
}

} // namespace

llvm::Error sparsam::writeSharedLibrary(StringRef file, const LoweredProgram &program,
                                        const CompileOptions &options) {
  auto library = compileLibrary(libraryName(file), program, options);
  if (!library)
    return library.takeError();
  auto linked =
      linkShared(library->files, {library->symbols, path::filename(file).str(), true});
  return linked ? write(file, *linked, *library) : linked.takeError();
}

llvm::Error sparsam::writeObject(StringRef file, const LoweredProgram &program,
                                 const CompileOptions &options) {
  CompileOptions single = options;
  single.threads = 1;
  auto library = compileLibrary(libraryName(file), program, single);
  if (!library)
    return library.takeError();
  return write(file, library->files.front()->getBuffer().str(), *library);
}
