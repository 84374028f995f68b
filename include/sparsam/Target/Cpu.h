// The CPU that kernels and machine code are for: one notion for all of the compiler.
#ifndef SPARSAM_TARGET_CPU_H
#define SPARSAM_TARGET_CPU_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"

#include <string>
#include <vector>

namespace mlir::sparsam {

/// A CPU of this machine's architecture.
struct Cpu {
  /// What it was asked for by: as clang's -mcpu takes it, or "host".
  std::string spelling;
  /// The same; that of this machine is found out.
  std::string name;
  /// What a machine has beyond or below its name, "+avx2,-sse4a".
  std::string adjustments;
  /// All features, by LLVM's names in order, those that only tune included.
  std::vector<std::string> features;
  /// Of one vector register.
  int64_t vectorBits = 128;
  /// Whether its arithmetic units take the halves of the widest vectors one after the
  /// other, while loads keep up with whole ones.
  bool halvesVectors = false;
  /// Bytes of one core's data caches, first and second level: those of this machine,
  /// since a name tells nothing of them, or what few have less of.
  int64_t l1Bytes = 32 << 10, l2Bytes = 512 << 10;

  bool has(StringRef feature) const;

  /// Whether it multiplies and adds in one instruction, rounded once. LLVM calls a
  /// function of the C library for each number where it does not.
  bool hasFusedMultiplyAdd() const;

  /// "host" is this machine's. An error for a name that LLVM does not know.
  static llvm::Expected<Cpu> get(StringRef name);

  /// Of the name `wanted`; where that is empty, of the one that `module` is for, and this
  /// machine's for a module that does not say.
  static llvm::Expected<Cpu> get(StringRef wanted, ModuleOp module);

  /// The architecture and system of this machine.
  static llvm::Triple getTriple();
};

/// On modules: the name of the CPU that they are for.
inline constexpr llvm::StringLiteral cpuAttrName = "sparsam.cpu";

} // namespace mlir::sparsam

#endif // SPARSAM_TARGET_CPU_H
