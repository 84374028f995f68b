// Sizes that a structured product's kernel is cut into, where they are not left to the
// model of the target: `sparsam.tiles` on the product.
#ifndef SPARSAM_IR_KERNELTILES_H
#define SPARSAM_IR_KERNELTILES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"

#include <optional>

namespace mlir::sparsam {

/// What is none is the model's.
struct KernelTiles {
  /// Outputs of a block in registers at once.
  std::optional<int64_t> part;
  /// Vectors of tokens in registers at once; they make the height of a panel.
  std::optional<int64_t> tokenVectors;
  /// Kept inputs whose gradients are in registers at once: an sddmm's.
  std::optional<int64_t> jobs;
  /// Rows of the panel that a kernel goes through at once: inputs, or outputs where these
  /// are gathered.
  std::optional<int64_t> range;
  /// Tokens between two sums over lanes, rounded up to whole panels: an sddmm's.
  std::optional<int64_t> chunk;

  using Member = std::optional<int64_t> KernelTiles::*;
  /// The members by their names in text.
  static ArrayRef<std::pair<StringLiteral, Member>> getMembers();
  static bool isName(StringRef name);

  /// Of a product that has passed the verifier; all none where it has no attribute.
  static KernelTiles get(Operation *op);
  DictionaryAttr getAttr(MLIRContext *context) const;

  bool isEmpty() const;
  /// "part = 8, range = 96".
  std::string getText() const;

  /// Accumulators in registers at most: several times the registers of any CPU, since
  /// those that do not fit are only slow.
  static constexpr int64_t mostAccumulators = 128;

  /// Checks what holds on any target for a product: it has these sizes, each is positive,
  /// and what is in registers at once is not many times what any CPU has. `TileSpace`
  /// checks what depends on the target and on the shape.
  LogicalResult verify(Operation *product,
                       function_ref<InFlightDiagnostic()> emitError) const;
};

inline constexpr llvm::StringLiteral tilesAttrName = "sparsam.tiles";

/// Checks the attribute `sparsam.tiles` of a product, where it has one.
LogicalResult verifyTilesAttr(Operation *op);

} // namespace mlir::sparsam

#endif // SPARSAM_IR_KERNELTILES_H
