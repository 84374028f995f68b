// Object files to a shared library, by the linker of the system or of LLVM.

#include "Link.h"
#include "sparsam/Bundle/Bundle.h"
#include "sparsam/Runtime/Runtime.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <dlfcn.h>

using namespace mlir;
using namespace mlir::sparsam;
namespace fs = llvm::sys::fs;

namespace {

/// A linker, or a compiler that calls one.
struct Linker {
  std::string program;
  bool isCompiler;

  /// An option of the linker itself.
  std::string option(const llvm::Twine &text) const {
    return ((isCompiler ? "-Wl," : "") + text).str();
  }
};

llvm::Expected<Linker> findLinker() {
  for (StringRef name : {"ld.lld-22", "ld.lld"})
    for (StringRef folder : {"", SPARSAM_LLVM_TOOLS}) {
      auto found = folder.empty() ? llvm::sys::findProgramByName(name)
                                  : llvm::sys::findProgramByName(name, {folder});
      if (found)
        return Linker{*found, /*isCompiler=*/false};
    }
  for (StringRef name : {"clang-22", "clang", "cc", "gcc"})
    if (auto found = llvm::sys::findProgramByName(name))
      return Linker{*found, /*isCompiler=*/true};
  return llvm::createStringError("there is no linker for compiled code: install lld "
                                 "(package lld-22) or a C compiler, "
                                 "or have ld.lld, clang or cc in PATH");
}

/// The runtime library that this process has.
llvm::Expected<std::string> findRuntime() {
  Dl_info info;
  SmallString<128> path;
  if (!dladdr(reinterpret_cast<void *>(&sparsam_call_begin), &info) ||
      fs::real_path(info.dli_fname, path))
    return llvm::createStringError("the file of libSparsamRuntime cannot be found");
  return path.str().str();
}

llvm::Error write(StringRef path, StringRef contents) {
  std::error_code code;
  llvm::raw_fd_ostream stream(path, code);
  stream << contents;
  stream.close();
  if (!code)
    code = stream.error();
  stream.clear_error();
  return code ? llvm::createStringError("cannot write '" + path + "': " + code.message())
              : llvm::Error::success();
}

llvm::Error run(const Linker &linker, ArrayRef<std::string> arguments, StringRef log) {
  SmallVector<StringRef> command{linker.program};
  command.append(arguments.begin(), arguments.end());
  std::string message;
  std::optional<StringRef> redirects[] = {StringRef(""), log, log};
  int code = llvm::sys::ExecuteAndWait(linker.program, command, std::nullopt, redirects,
                                       0, 0, &message);
  if (code == 0)
    return llvm::Error::success();
  Result<std::string> said = readFile(log.str());
  return llvm::createStringError(
      "'" + linker.program + "' failed: " + (said.failed() ? message : message + *said));
}

} // namespace

llvm::Expected<std::string> sparsam::linkShared(const ObjectFiles &files,
                                                const LinkOptions &options) {
  auto linker = findLinker();
  auto runtime = findRuntime();
  if (!linker || !runtime)
    return llvm::joinErrors(linker.takeError(), runtime.takeError());
  SmallString<128> folder;
  if (std::error_code code = fs::createUniqueDirectory("sparsam-link", folder))
    return llvm::createStringError("cannot make a temporary folder: " + code.message());
  // What cannot be removed is left to the system, as temporary files are.
  llvm::scope_exit remove([&] { (void)fs::remove_directories(folder); });
  auto inside = [&](const llvm::Twine &name) {
    SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return path.str().str();
  };

  std::string script = inside("exports"), output = inside("out.so"), log = inside("log");
  std::vector<std::string> arguments{"-shared", "-o", output};
  if (llvm::Error error = write(
          script, "{ global: " + llvm::join(options.exported, "; ") + "; local: *; };\n"))
    return error;
  arguments.push_back(linker->option("--version-script=" + script));
  // A part may need nothing of the runtime but what that one links: BLAS, OpenMP.
  arguments.push_back(linker->option("--no-as-needed"));
  if (linker->isCompiler)
    arguments.emplace_back("-nostdlib");
  if (!options.name.empty())
    arguments.push_back(linker->option("-soname=" + options.name));
  if (options.findRuntime)
    for (StringRef where : {StringRef("$ORIGIN"), llvm::sys::path::parent_path(*runtime)})
      arguments.push_back(linker->option("-rpath=" + where));
  for (auto [number, file] : llvm::enumerate(files)) {
    arguments.push_back(inside(llvm::Twine(number) + ".o"));
    if (llvm::Error error = write(arguments.back(), file->getBuffer()))
      return error;
  }
  arguments.push_back(*runtime);
  if (llvm::Error error = run(*linker, arguments, log))
    return error;
  Result<std::string> linked = readFile(output);
  if (linked.failed())
    return llvm::createStringError(linked.reason());
  return std::move(*linked);
}
