#include "Prepare.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/MDBuilder.h"

#include <map>
#include <optional>

using namespace llvm;

namespace {

/// `__kmpc_fork_call(location, 1, body, captured)`
constexpr unsigned bodyOperand = 2, capturedOperand = 3;
/// `body(thread, team, captured)`
constexpr unsigned capturedArgument = 2;

/// Which of the captured values are pointers to memory of their own: the field of the
/// captured structure, and a number that is the same for the same memory.
using DistinctFields = std::map<uint64_t, unsigned>;

/// The field of a structure that `gep` points to.
std::optional<uint64_t> fieldIndex(const GetElementPtrInst &gep) {
  if (!gep.getSourceElementType()->isStructTy() || gep.getNumIndices() != 2)
    return std::nullopt;
  const auto *index = dyn_cast<ConstantInt>(gep.getOperand(2));
  return index ? std::optional(index->getZExtValue()) : std::nullopt;
}

DistinctFields capturedFields(const CallInst &fork) {
  DistinctFields fields;
  const Function *parent = fork.getFunction();
  for (const User *user : fork.getArgOperand(capturedOperand)->users()) {
    const auto *gep = dyn_cast<GetElementPtrInst>(user);
    std::optional<uint64_t> field = gep ? fieldIndex(*gep) : std::nullopt;
    if (!field)
      continue;
    for (const User *use : gep->users()) {
      const auto *store = dyn_cast<StoreInst>(use);
      if (!store || store->getPointerOperand() != gep)
        continue;
      const Value *value = store->getValueOperand();
      const auto *argument = value->getType()->isPointerTy()
                                 ? dyn_cast<Argument>(getUnderlyingObject(value, 0))
                                 : nullptr;
      if (argument && argument->getParent() == parent && argument->hasNoAliasAttr())
        fields[*field] = argument->getArgNo();
    }
  }
  return fields;
}

/// The pointers that `body` loads out of its captured structure, with their numbers.
MapVector<const Value *, unsigned> loadedPointers(Function &body,
                                                  const DistinctFields &fields) {
  MapVector<const Value *, unsigned> pointers;
  for (User *user : body.getArg(capturedArgument)->users()) {
    auto *gep = dyn_cast<GetElementPtrInst>(user);
    std::optional<uint64_t> field = gep ? fieldIndex(*gep) : std::nullopt;
    auto number = field ? fields.find(*field) : fields.end();
    if (number == fields.end())
      continue;
    for (User *use : gep->users())
      if (isa<LoadInst>(use) && use->getType()->isPointerTy())
        pointers[use] = number->second;
  }
  return pointers;
}

const Value *accessedPointer(const Instruction &instruction) {
  if (const Value *pointer = getLoadStorePointerOperand(&instruction))
    return pointer;
  if (const auto *intrinsic = dyn_cast<IntrinsicInst>(&instruction)) {
    if (intrinsic->getIntrinsicID() == Intrinsic::masked_load)
      return intrinsic->getArgOperand(0);
    if (intrinsic->getIntrinsicID() == Intrinsic::masked_store)
      return intrinsic->getArgOperand(1);
  }
  return nullptr;
}

void annotate(Function &body, const DistinctFields &fields) {
  MapVector<const Value *, unsigned> pointers = loadedPointers(body, fields);
  MDBuilder builder(body.getContext());
  MDNode *domain = builder.createAnonymousAliasScopeDomain(body.getName());
  std::map<unsigned, MDNode *> scopes;
  for (auto [pointer, number] : pointers)
    if (MDNode *&scope = scopes[number]; !scope)
      scope = builder.createAnonymousAliasScope(domain);
  if (scopes.size() < 2)
    return;
  for (BasicBlock &block : body) {
    for (Instruction &instruction : block) {
      const Value *pointer = accessedPointer(instruction);
      if (!pointer)
        continue;
      auto *found = pointers.find(getUnderlyingObject(pointer, 0));
      if (found == pointers.end())
        continue;
      SmallVector<Metadata *> others;
      for (auto [number, scope] : scopes)
        if (number != found->second)
          others.push_back(scope);
      LLVMContext &context = body.getContext();
      instruction.setMetadata(LLVMContext::MD_alias_scope,
                              MDNode::get(context, scopes[found->second]));
      instruction.setMetadata(LLVMContext::MD_noalias, MDNode::get(context, others));
    }
  }
}

} // namespace

void mlir::sparsam::propagateNoAlias(Module &module) {
  Function *fork = module.getFunction("__kmpc_fork_call");
  if (!fork)
    return;
  MapVector<Function *, DistinctFields> bodies;
  for (User *user : fork->users()) {
    auto *call = dyn_cast<CallInst>(user);
    if (!call || call->getCalledFunction() != fork || call->arg_size() <= capturedOperand)
      continue;
    auto *body = dyn_cast<Function>(call->getArgOperand(bodyOperand));
    if (!body || body->isDeclaration() || body->arg_size() <= capturedArgument)
      continue;
    DistinctFields fields = capturedFields(*call);
    auto [known, isNew] = bodies.insert({body, fields});
    // A body that several loops share knows only what is true of all of them.
    if (!isNew && known->second != fields)
      known->second.clear();
  }
  for (auto &[body, fields] : bodies)
    // A use other than these calls could pass anything.
    if (all_of(body->users(), [&](User *user) {
          auto *call = dyn_cast<CallInst>(user);
          return call && call->getCalledFunction() == fork;
        }))
      annotate(*body, fields);
}
