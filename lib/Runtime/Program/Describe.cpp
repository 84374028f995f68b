// The boundary with machine code: what its functions take.

#include "Objects.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// Why `function` is not at the boundary with the JIT; success if it is.
llvm::Error checkBoundary(func::FuncOp function) {
  auto refuse = [&](const llvm::Twine &reason) {
    return llvm::createStringError("function '" + function.getName() + "' " + reason +
                                   "; run sparsam-cpu-pipeline first");
  };
  if (function.getNumResults())
    return refuse("returns a value instead of writing it to an argument");
  if (!function->hasAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName()))
    return refuse("has no '" + LLVM::LLVMDialect::getEmitCWrapperAttrName() + "'");
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    auto memref = dyn_cast<MemRefType>(type);
    if (!memref || !memref.hasStaticShape() || !memref.getLayout().isIdentity())
      return refuse("has argument " + llvm::Twine(i) +
                    " that is not a memref of static shape and identity layout");
    if (!memref.getElementType().isIntOrIndexOrFloat())
      return refuse("has argument " + llvm::Twine(i) + " of an element type that is " +
                    "neither an integer nor a float");
  }
  return llvm::Error::success();
}

SmallVector<func::FuncOp> publicFunctions(ModuleOp module) {
  return llvm::to_vector(
      llvm::make_filter_range(module.getOps<func::FuncOp>(), [](func::FuncOp function) {
        return function.isPublic() && !function.isExternal();
      }));
}

ProgramArgument describeArgument(const ValueSignature &value, MemRefType type) {
  ProgramArgument argument;
  static_cast<ValueSignature &>(argument) = value;
  // i1 is stored as a byte, and an index as 64 bits, as everywhere in MLIR.
  unsigned bits = type.getElementType().isIndex()
                      ? 64
                      : type.getElementType().getIntOrFloatBitWidth();
  argument.bytes = type.getNumElements() * llvm::divideCeil(bits, 8);
  if (argument.has("sparsam.workspace")) {
    argument.role = ProgramArgument::Role::Workspace;
  } else if (const int64_t *result = argument.integer("sparsam.result")) {
    argument.role = ProgramArgument::Role::Result;
    argument.result = *result;
  } else if (const int64_t *result = argument.integer("sparsam.updates")) {
    argument.role = ProgramArgument::Role::Updated;
    argument.result = *result;
  }
  return argument;
}

llvm::Expected<ProgramFunction> describeFunction(func::FuncOp function) {
  if (llvm::Error error = checkBoundary(function))
    return error;
  FunctionSignature signature = describe(function);
  ProgramFunction described;
  described.name = signature.name;
  for (auto [i, value] : llvm::enumerate(signature.arguments)) {
    described.arguments.push_back(
        describeArgument(value, cast<MemRefType>(function.getArgumentTypes()[i])));
    if (described.arguments.back().role == ProgramArgument::Role::Workspace)
      described.workspaceBytes += described.arguments.back().bytes;
  }
  if (llvm::count_if(described.arguments, [](const ProgramArgument &argument) {
        return argument.role == ProgramArgument::Role::Workspace;
      }) > 1)
    return llvm::createStringError("function '%s' has more than one workspace",
                                   described.name.c_str());
  return described;
}

} // namespace

llvm::Expected<std::vector<ProgramFunction>> sparsam::describeProgram(ModuleOp module) {
  std::vector<ProgramFunction> functions;
  for (func::FuncOp function : publicFunctions(module)) {
    llvm::Expected<ProgramFunction> described = describeFunction(function);
    if (!described)
      return described.takeError();
    functions.push_back(std::move(*described));
  }
  if (functions.empty())
    return llvm::createStringError("the module has no public function to compile");
  addIndexRules(functions, *module.getContext());
  return functions;
}

bool sparsam::isAtProgramBoundary(ModuleOp module) {
  // Without any there are those of a dialect that is not loaded, as importers leave them.
  auto functions = publicFunctions(module);
  return !functions.empty() && llvm::all_of(functions, [](func::FuncOp function) {
    llvm::Error error = checkBoundary(function);
    bool fine = !error;
    llvm::consumeError(std::move(error));
    return fine;
  });
}
