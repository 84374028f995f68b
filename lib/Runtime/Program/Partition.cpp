#include "Partition.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparsam;

namespace {

/// Below this many instructions a thread costs more than it saves.
constexpr size_t leastWork = 2000;

/// Small functions are worth inlining, so that every part has a copy of them.
constexpr size_t smallFunction = 30;

bool isLocal(const llvm::GlobalValue &value) {
  return value.hasLocalLinkage() && !value.isDeclaration();
}

bool isReplicated(const llvm::Function &function) {
  return isLocal(function) && (function.hasFnAttribute(llvm::Attribute::AlwaysInline) ||
                               function.getInstructionCount() <= smallFunction);
}

/// The same names mean the same things in all parts.
void share(llvm::GlobalValue &value, unsigned &count) {
  if (!value.hasName())
    value.setName("shared." + std::to_string(count++));
  value.setLinkage(llvm::GlobalValue::ExternalLinkage);
  value.setVisibility(llvm::GlobalValue::HiddenVisibility);
}

} // namespace

Partition::Partition(llvm::Module &module, unsigned parts) {
  unsigned count = 0;
  size_t work = 0;
  std::vector<std::pair<size_t, llvm::Function *>> bySize;
  for (llvm::Function &function : module) {
    if (function.isDeclaration() || isReplicated(function))
      continue;
    if (isLocal(function))
      share(function, count);
    bySize.emplace_back(function.getInstructionCount(), &function);
    work += bySize.back().first;
  }
  // Constants have no identity and are copied into each part that uses them.
  for (llvm::GlobalVariable &variable : module.globals())
    if (isLocal(variable) && !variable.isConstant())
      share(variable, count);

  functions.resize(std::max<size_t>(1, std::min<size_t>(parts, work / leastWork)));
  // The largest first, each to the part with the least so far.
  llvm::sort(bySize, [](const auto &a, const auto &b) {
    return std::make_pair(b.first, a.second->getName()) <
           std::make_pair(a.first, b.second->getName());
  });
  std::vector<size_t> load(functions.size());
  for (auto [instructions, function] : bySize) {
    size_t least = llvm::min_element(load) - load.begin();
    functions[least].push_back(function->getName().str());
    load[least] += instructions;
  }
  llvm::raw_string_ostream stream(bitcode);
  llvm::WriteBitcodeToFile(module, stream);
}

llvm::Expected<std::unique_ptr<llvm::Module>>
Partition::read(unsigned part, llvm::LLVMContext &context) const {
  llvm::StringSet<> defined;
  defined.insert_range(functions[part]);
  auto module = llvm::getLazyBitcodeModule({bitcode, "part"}, context);
  if (!module)
    return module.takeError();
  for (llvm::Function &function : **module)
    if (function.hasExternalLinkage() && !function.isDeclaration() &&
        !defined.contains(function.getName()))
      function.deleteBody();
  if (llvm::Error error = (*module)->materializeAll())
    return error;
  if (part > 0)
    for (llvm::GlobalVariable &variable : (*module)->globals())
      if (variable.hasExternalLinkage() && variable.hasInitializer())
        variable.setInitializer(nullptr);
  return module;
}
