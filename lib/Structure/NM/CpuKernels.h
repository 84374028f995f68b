// The products of nm on the CPU, tokens in lanes: a vector holds one feature of
// consecutive tokens. Weights, which are broadcast, stay in storage order in all three
// products; only activations are packed, into panels.
#ifndef SPARSAM_STRUCTURE_NM_CPUKERNELS_H
#define SPARSAM_STRUCTURE_NM_CPUKERNELS_H

#include "sparsam/Conversion/ToCPU/Panels.h"
#include "sparsam/Structure/NM/NM.h"

namespace mlir::sparsam::nm {

/// Some consecutive outputs of a block, as many as registers allow at once.
struct Part {
  int64_t offset, size;
};

/// One product with a K x N' matrix: sizes, and how they are cut for the target.
struct Product {
  Product(NMAttr structure, int64_t tokens, MemRefType values, MemRefType indices,
          const CpuTarget &target);

  int64_t n, m, vector;
  int64_t tokens, blocks, kept, groups;
  Type element;

  int64_t lanes;
  /// Vectors of tokens in registers at once.
  int64_t tokenVectors;
  /// Kept inputs whose gradients are in registers at once.
  int64_t jobs;
  SmallVector<Part> parts;

  /// Few outputs a block use each vector of tokens so little that loading it from the
  /// second-level cache takes longer.
  bool isLoadBound() const { return vector < 4; }

  int64_t getInputs() const { return groups * m; }
  int64_t getOutputs() const { return blocks * vector; }
  int64_t getHeight() const { return lanes * tokenVectors; }
  int64_t getBytes(int64_t elements) const {
    return elements * element.getIntOrFloatBitWidth() / 8;
  }
  VectorType getVectorType() const { return VectorType::get(lanes, element); }
  PanelShape getInputPanels() const {
    return {tokens, getInputs(), getHeight(), element};
  }
  PanelShape getOutputPanels() const {
    return {tokens, getOutputs(), getHeight(), element};
  }
  /// Groups whose panel, of `columns` tokens, fits in `bytes`, but enough for
  /// `minimum` kept inputs.
  int64_t getGroupsWithin(int64_t bytes, int64_t columns, int64_t minimum) const;
};

/// The kept input `position` of a block, as an index.
Value buildKeptInput(ImplicitLocOpBuilder &b, Value indices, Value block, Value position);

/// Calls `body` for consecutive ranges of `size` out of `total`, with the first of
/// each and their number, which is static: the last range may be shorter.
void buildRanges(ImplicitLocOpBuilder &b, int64_t total, int64_t size,
                 function_ref<void(ImplicitLocOpBuilder &, Value, int64_t)> body);

/// Bodies of kernels. Forward: (panels of x, values, indices, y). Transposed: (panels
/// of dy, values, indices, dx). Gradient: (panels of x, panels of dy, indices,
/// gradient of the values).
void buildForward(ImplicitLocOpBuilder &b, const Product &product, ValueRange arguments);
void buildTransposed(ImplicitLocOpBuilder &b, const Product &product,
                     ValueRange arguments);
void buildGradient(ImplicitLocOpBuilder &b, const Product &product, ValueRange arguments);

} // namespace mlir::sparsam::nm

#endif // SPARSAM_STRUCTURE_NM_CPUKERNELS_H
