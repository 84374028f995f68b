// A contraction on memrefs as a call of a matrix product: transposes, slices and up to
// two batch dimensions are strides.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_GEMMCALL_H
#define SPARSAM_LIB_CONVERSION_TOCPU_GEMMCALL_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"

#include <array>
#include <optional>

namespace mlir::sparsam::gemm {

/// The operands of C += A * B, by position.
enum Role { A, B, C, numRoles };

/// A loop of the contraction, or several that run as one: its length, and the
/// stride of each operand, zero where the operand does not depend on it.
struct Dim {
  int64_t size;
  std::array<int64_t, numRoles> strides;
};

/// An operand: a buffer and, for each of its dimensions, the loop that indexes it.
struct Operand {
  Value buffer;
  SmallVector<unsigned> loops;

  bool operator==(const Operand &other) const { return buffer == other.buffer; }
  bool operator!=(const Operand &other) const { return buffer != other.buffer; }
  FloatType getElementType() const {
    return cast<FloatType>(cast<MemRefType>(buffer.getType()).getElementType());
  }
};

struct Contraction {
  std::array<Operand, numRoles> operands;
  linalg::ContractionDimensions dims;
  SmallVector<int64_t> sizes;
  bool accumulate;
};

/// One call: two operands in the order that makes rows of C contiguous.
struct Call {
  std::array<Role, 2> inputs{A, B};
  Dim m, n, k;
  SmallVector<Dim, 2> batch;
  std::array<bool, 2> transposed{};
  std::array<int64_t, numRoles> leading{};
};

constexpr unsigned maxBatch = 2;
constexpr Dim unitDim{1, {0, 0, 0}};

/// `op` as C += A * B on f16, bf16, f32 or f64 with static shapes and strides.
std::optional<Contraction> matchContraction(linalg::LinalgOp op);

/// The call that computes `contraction`, if its strides fit one.
std::optional<Call> matchCall(const Contraction &contraction);

} // namespace mlir::sparsam::gemm

#endif // SPARSAM_LIB_CONVERSION_TOCPU_GEMMCALL_H
