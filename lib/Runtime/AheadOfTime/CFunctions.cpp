// Functions of plain pointers around entries, as calls of the runtime's sparsam_call.

#include "CFunctions.h"
#include "sparsam/Runtime/Runtime.h"

#include "llvm/IR/IRBuilder.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// The runtime's structures as constants of a module.
class Tables {
public:
  explicit Tables(llvm::Module &module)
      : module(module), context(module.getContext()),
        pointer(llvm::PointerType::getUnqual(context)),
        i32(llvm::Type::getInt32Ty(context)), i64(llvm::Type::getInt64Ty(context)) {}

  llvm::Constant *text(StringRef value) {
    return hold(llvm::ConstantDataArray::getString(context, value));
  }

  /// Pointers with a null one behind the last.
  llvm::Constant *list(ArrayRef<std::string> values) {
    SmallVector<llvm::Constant *> pointers;
    for (const std::string &value : values)
      pointers.push_back(text(value));
    pointers.push_back(llvm::ConstantPointerNull::get(pointer));
    auto *type = llvm::ArrayType::get(pointer, pointers.size());
    return hold(llvm::ConstantArray::get(type, pointers));
  }

  /// `sparsam_argument`
  llvm::Constant *argument(const ProgramArgument &argument, size_t number) {
    auto role = argument.isWorkspace() ? SPARSAM_ROLE_WORKSPACE
                : argument.isWritten() ? SPARSAM_ROLE_WRITTEN
                                       : SPARSAM_ROLE_READ;
    return structure(
        {text(argumentLabel(argument, number)), number32(role),
         number32(argument.shape.size()),
         hold(llvm::ConstantDataArray::get(context, ArrayRef(argument.shape))),
         number64(argument.bytes)});
  }

  /// `sparsam_function`
  llvm::Constant *function(const ProgramFunction &function, StringRef name,
                           llvm::Function *entry, llvm::Constant *features) {
    SmallVector<llvm::Constant *> arguments;
    for (auto [number, each] : llvm::enumerate(function.arguments))
      arguments.push_back(argument(each, number));
    llvm::Constant *all = llvm::ConstantPointerNull::get(pointer);
    if (!arguments.empty())
      all = hold(llvm::ConstantArray::get(
          llvm::ArrayType::get(arguments.front()->getType(), arguments.size()),
          arguments));
    return hold(
        structure({text(name), entry, number64(arguments.size()), all, features}));
  }

private:
  llvm::Constant *number32(int64_t value) { return llvm::ConstantInt::get(i32, value); }
  llvm::Constant *number64(int64_t value) { return llvm::ConstantInt::get(i64, value); }
  llvm::Constant *structure(ArrayRef<llvm::Constant *> fields) {
    return llvm::ConstantStruct::getAnon(context, fields);
  }
  llvm::Constant *hold(llvm::Constant *value) {
    return new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                    llvm::GlobalValue::PrivateLinkage, value);
  }

  llvm::Module &module;
  llvm::LLVMContext &context;
  llvm::PointerType *pointer;
  llvm::Type *i32, *i64;
};

/// int NAME(pointer..., workspace)
void addOne(llvm::Module &module, Tables &tables, const CFunction &wanted,
            llvm::Constant *features) {
  llvm::LLVMContext &context = module.getContext();
  auto *pointer = llvm::PointerType::getUnqual(context);
  auto *i32 = llvm::Type::getInt32Ty(context);
  // What was lowered is called from the entry alone, under any name.
  if (llvm::GlobalValue *taken = module.getNamedValue(wanted.name))
    taken->setName(wanted.name + ".lowered");
  size_t count = wanted.parameters.size();
  SmallVector<llvm::Type *> types(count + 1, pointer);
  auto *function =
      llvm::Function::Create(llvm::FunctionType::get(i32, types, false),
                             llvm::GlobalValue::ExternalLinkage, wanted.name, module);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "", function));
  llvm::Value *arrays = builder.CreateAlloca(llvm::ArrayType::get(pointer, count));
  for (size_t i = 0; i < count; ++i)
    builder.CreateStore(function->getArg(i),
                        builder.CreateConstGEP1_64(pointer, arrays, i));
  llvm::Function *entry =
      module.getFunction((entryPrefix + llvm::Twine(wanted.function->name)).str());
  llvm::FunctionCallee call =
      module.getOrInsertFunction("sparsam_call", pointer, pointer, pointer, pointer);
  llvm::Value *error = builder.CreateCall(
      call, {tables.function(*wanted.function, wanted.name, entry, features), arrays,
             function->getArg(count)});
  builder.CreateRet(builder.CreateZExt(builder.CreateIsNotNull(error), i32));
}

} // namespace

void sparsam::addCFunctions(llvm::Module &module, ArrayRef<CFunction> functions,
                            ArrayRef<std::string> features) {
  Tables tables(module);
  llvm::Constant *list = tables.list(features);
  for (const CFunction &function : functions)
    addOne(module, tables, function, list);
}
