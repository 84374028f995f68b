#ifndef SPARSAM_LIB_RUNTIME_PREPARE_H
#define SPARSAM_LIB_RUNTIME_PREPARE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Module.h"

namespace mlir::sparsam {

/// Leaves only functions visible from outside whose names `isEntry` says yes to, so that
/// all others can be merged, specialised and dropped.
void internalize(llvm::Module &module, llvm::function_ref<bool(llvm::StringRef)> isEntry);

/// Inlines calls of functions that ask for it (`alwaysinline`), and nothing else.
void inlineMarked(llvm::Module &module);

/// Takes out of functions and their calls what is passed and not read. A memref is
/// passed as three words and two more a dimension, of which a kernel of known shape reads
/// one pointer; calls of it would move all others over the stack.
void dropUnreadArguments(llvm::Module &module);

/// Makes one function of those with equal bodies. The layers of a network are alike,
/// so that most of its loops are there several times.
void mergeEqualFunctions(llvm::Module &module);

/// Tells the bodies of parallel loops, which get pointers through memory, which of
/// them are distinct: those that come from `noalias` parameters of the functions
/// around them. Without it the vectoriser compares all ranges at run time, or gives
/// up where there are many.
void propagateNoAlias(llvm::Module &module);

/// Times every kernel and runtime routine that `function` calls, one by one, into the
/// runtime's profile.
void addProfiling(llvm::Function &function);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_RUNTIME_PREPARE_H
