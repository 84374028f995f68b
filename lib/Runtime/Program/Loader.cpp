#include "MachineCode.h"

#include "sparsam/Runtime/Runtime.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ExecutionEngine/Orc/MapperJITLinkMemoryManager.h"
#include "llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h"

#include <dlfcn.h>

using namespace mlir;
using namespace mlir::sparsam;
namespace orc = llvm::orc;

namespace {

/// The runtime library of this process, opened already.
///
/// Not the process's global symbols: Python opens its modules, and with them this
/// library and the runtime, RTLD_LOCAL, so that they cannot be seen there, and
/// making them global would let them clash with other copies of BLAS or OpenMP.
void *runtimeLibrary() {
  static void *const library = []() -> void * {
    Dl_info info;
    if (!dladdr(reinterpret_cast<void *>(&sparsam_call_begin), &info))
      return nullptr;
    return dlopen(info.dli_fname, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  }();
  return library;
}

/// Answers from the runtime library and the libraries that it links: OpenMP, BLAS,
/// the C and mathematics libraries.
class RuntimeSymbols : public orc::DefinitionGenerator {
public:
  llvm::Error tryToGenerate(orc::LookupState &, orc::LookupKind, orc::JITDylib &library,
                            orc::JITDylibLookupFlags,
                            const orc::SymbolLookupSet &names) override {
    orc::SymbolMap found;
    for (const auto &[name, flags] : names)
      if (void *address = dlsym(runtimeLibrary(), (*name).str().c_str()))
        found[name] = {orc::ExecutorAddr::fromPtr(address),
                       llvm::JITSymbolFlags::Exported};
    if (found.empty())
      return llvm::Error::success();
    return library.define(orc::absoluteSymbols(std::move(found)));
  }
};

/// Code that refers to other parts of a program by 32-bit distances needs them
/// near: all parts come out of one reserved range.
constexpr size_t reservedBytes = 64 << 20;

llvm::Expected<std::unique_ptr<orc::ObjectLayer>>
createLinkingLayer(orc::ExecutionSession &session) {
  auto memory =
      orc::MapperJITLinkMemoryManager::CreateWithMapper<orc::InProcessMemoryMapper>(
          reservedBytes);
  if (!memory)
    return memory.takeError();
  return std::make_unique<orc::ObjectLinkingLayer>(session, std::move(*memory));
}

} // namespace

llvm::Expected<std::unique_ptr<LoadedCode>> LoadedCode::load(ObjectFiles objects) {
  if (!runtimeLibrary())
    return llvm::createStringError("the runtime library cannot be opened: %s", dlerror());
  auto jit = orc::LLJITBuilder()
                 .setLinkProcessSymbolsByDefault(false)
                 .setPlatformSetUp(orc::setUpInactivePlatform)
                 .setObjectLinkingLayerCreator(createLinkingLayer)
                 .create();
  if (!jit)
    return jit.takeError();
  auto code = std::make_unique<LoadedCode>();
  (*jit)->getExecutionSession().setErrorReporter(
      [&reported = code->reported](llvm::Error error) {
        reported.push_back(llvm::toString(std::move(error)));
      });
  (*jit)->getMainJITDylib().addGenerator(std::make_unique<RuntimeSymbols>());
  for (std::unique_ptr<llvm::MemoryBuffer> &object : objects)
    if (llvm::Error error = (*jit)->addObjectFile(std::move(object)))
      return error;
  code->jit = std::move(*jit);
  return code;
}

llvm::Expected<orc::ExecutorAddr> LoadedCode::lookup(llvm::StringRef name) {
  auto address = jit->lookup(name);
  if (address || reported.empty())
    return address;
  llvm::consumeError(address.takeError());
  return llvm::createStringError("loading the compiled code failed: " +
                                 llvm::join(reported, "; "));
}
