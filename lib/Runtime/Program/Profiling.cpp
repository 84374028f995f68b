#include "Prepare.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"

#include <string>

using namespace llvm;

namespace {

/// The extents of a product, which tell one call of sparsam_gemm from another, are
/// after the three words of each of its matrices.
constexpr unsigned firstExtent = 9, extents = 3;

std::string label(const CallInst &call) {
  StringRef name = call.getCalledFunction()->getName();
  if (name == "__kmpc_fork_call")
    return "parallel loop";
  std::string text = name.str();
  if (!name.starts_with("sparsam_gemm") || call.arg_size() < firstExtent + extents)
    return text;
  for (unsigned i = 0; i < extents; ++i)
    if (auto *extent = dyn_cast<ConstantInt>(call.getArgOperand(firstExtent + i)))
      text += (i ? " x " : " ") + std::to_string(extent->getSExtValue());
  return text;
}

} // namespace

void mlir::sparsam::addProfiling(Function &function) {
  Module &module = *function.getParent();
  IRBuilder<> builder(module.getContext());
  FunctionCallee start =
      module.getOrInsertFunction("sparsam_profile_start", builder.getInt64Ty());
  FunctionCallee stop =
      module.getOrInsertFunction("sparsam_profile_stop", builder.getVoidTy(),
                                 builder.getPtrTy(), builder.getInt64Ty());
  SmallVector<CallInst *> calls;
  for (Instruction &instruction : instructions(function)) {
    auto *call = dyn_cast<CallInst>(&instruction);
    Function *callee = call ? call->getCalledFunction() : nullptr;
    if (!callee || callee->isIntrinsic() ||
        (callee->getName().starts_with("__kmpc") &&
         callee->getName() != "__kmpc_fork_call"))
      continue;
    calls.push_back(call);
  }
  for (CallInst *call : calls) {
    builder.SetInsertPoint(call);
    Value *name = builder.CreateGlobalString(label(*call));
    Value *started = builder.CreateCall(start);
    builder.SetInsertPoint(call->getNextNode());
    builder.CreateCall(stop, {name, started});
  }
}
