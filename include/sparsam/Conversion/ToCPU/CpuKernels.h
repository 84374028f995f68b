// What the kernels of all structures on the CPU are built with.
#ifndef SPARSAM_CONVERSION_TOCPU_CPUKERNELS_H
#define SPARSAM_CONVERSION_TOCPU_CPUKERNELS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"
#include "sparsam/Conversion/ToCPU/TileSpace.h"
#include "sparsam/IR/SparsamOps.h"
#include "sparsam/Target/Cpu.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::sparsam {

struct CpuTarget {
  /// Of one vector register.
  int64_t vectorBits;
  /// Vector registers that a kernel may count on.
  int64_t registers;
  /// Whether arithmetic on a whole register takes twice as long as loading one.
  bool halvesVectors;
  /// Of the data caches of a core, first and second level.
  int64_t l1Bytes, l2Bytes;

  /// What is 0 is the CPU's own.
  static CpuTarget get(const Cpu &cpu, int64_t vectorBits, int64_t l1Bytes = 0,
                       int64_t l2Bytes = 0);

  int64_t getLanes(Type element) const {
    return vectorBits / element.getIntOrFloatBitWidth();
  }
};

/// The kernels of a module: private functions, one for each distinct name and type,
/// which the products of one shape share.
class KernelLibrary {
public:
  KernelLibrary(ModuleOp module, CpuTarget target)
      : target(target), module(module), symbols(module) {}

  using Body = function_ref<void(ImplicitLocOpBuilder &, ValueRange)>;

  /// The function that `body` builds from its arguments, of which it writes the last
  /// `written`, reads the others, and touches nothing else. `name` and `variant` must
  /// say all that the argument types leave open; the name is the function's own.
  func::FuncOp get(const Twine &name, TypeRange arguments, Body body,
                   unsigned written = 1, StringRef variant = {});

  /// How many arguments, the last, a function that was made here writes; null for
  /// others.
  std::optional<unsigned> getNumWritten(StringAttr name) const {
    auto known = numWritten.find(name);
    return known == numWritten.end() ? std::nullopt : std::optional(known->second);
  }

  const CpuTarget target;

  /// Whether kernels may do element-wise work that follows their product, and how many
  /// such ops they do.
  bool fuseEpilogues = true;
  int64_t epilogues = 0;

  /// A buffer made from others, and the call that fills it.
  struct Filled {
    Value buffer;
    Operation *call = nullptr;
  };
  /// The latest panels of each matrix, by their height.
  llvm::DenseMap<std::pair<Value, int64_t>, Filled> packed;
  /// The latest bounds of each pattern's ranges, by the function that finds them.
  llvm::DenseMap<std::pair<Value, Operation *>, Filled> bounds;

private:
  ModuleOp module;
  SymbolTable symbols;
  llvm::DenseMap<std::tuple<StringAttr, StringAttr, Type>, func::FuncOp> functions;
  llvm::DenseMap<StringAttr, unsigned> numWritten;
};

} // namespace mlir::sparsam

#include "sparsam/Conversion/ToCPU/CpuKernelInterface.h.inc"

#endif // SPARSAM_CONVERSION_TOCPU_CPUKERNELS_H
