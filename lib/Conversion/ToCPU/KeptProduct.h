// How the kernels of `KeptInputs` are cut for the target. A vector holds one feature of
// consecutive tokens. Weights, which are broadcast, stay in storage order in all three
// products; only activations are packed, into panels.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_KEPTPRODUCT_H
#define SPARSAM_LIB_CONVERSION_TOCPU_KEPTPRODUCT_H

#include "Epilogue.h"
#include "sparsam/Conversion/ToCPU/KeptInputs.h"
#include "sparsam/Conversion/ToCPU/Panels.h"

namespace mlir::sparsam::cpu {

/// Bytes that a kernel has on a thread's stack, about, at most. It has 4 MiB by default
/// where OpenMP makes the thread, and callers of programs may have less than that left.
constexpr int64_t mostStackBytes = 1 << 20;

/// Some consecutive outputs of a block.
struct Part {
  Value offset;
  int64_t size;
};

/// One product with a matrix of inputs x outputs.
struct KeptProduct {
  KeptProduct(const KeptInputs &pattern, int64_t tokens, Type element,
              const CpuTarget &target, const KernelTiles &given);

  const KeptInputs &pattern;
  const CpuTarget &target;
  int64_t vector, tokens, units;
  Type element;

  int64_t lanes;
  /// Vectors of tokens in registers at once.
  int64_t tokenVectors;
  /// Kept inputs whose gradients are in registers at once.
  int64_t jobs;
  /// Outputs of a block in registers at once, at most.
  int64_t partSize;
  /// Sizes that are not the model's.
  KernelTiles given;

  /// Few outputs a block use each vector of tokens so little that loading it from the
  /// second-level cache takes longer.
  bool isLoadBound() const { return vector < 4; }

  bool hasFewRegisters() const { return target.registers < 32; }

  /// Registers are many and wide, and arithmetic on them is as fast as loading one: each
  /// load is to serve several multiplications, and to come from the first-level cache.
  bool isLimitedByLoads() const { return !hasFewRegisters() && !target.halvesVectors; }

  /// So much is kept, and each vector of tokens serves so few outputs, that ranges of
  /// inputs whose panel is in the first-level cache repay loading and storing outputs
  /// once a range.
  bool isNear = false;
  /// Bytes of such a panel: what passes by needs some of the cache, and more of it where
  /// it is not waited for.
  int64_t getNearBytes() const {
    return isLimitedByLoads() ? target.l1Bytes / 2 : target.l1Bytes / 8 * 7;
  }

  /// How many sets of sums kept inputs add to in turn: two where one is too small to hide
  /// the latency of adding, and a second one fits into the registers.
  int64_t getSumSets(int64_t partSize) const {
    constexpr int64_t hiding = 8;
    return isLimitedByLoads() && partSize * tokenVectors <= hiding ? 2 : 1;
  }

  int64_t getHeight() const { return lanes * tokenVectors; }
  /// Kept inputs of a run that a kernel goes through at once.
  int64_t getAtOnce() const;
  int64_t getBytes(int64_t elements) const {
    return elements * element.getIntOrFloatBitWidth() / 8;
  }
  VectorType getVectorType() const { return VectorType::get(lanes, element); }
  PanelShape getInputPanels() const {
    return {tokens, pattern.inputs, getHeight(), element};
  }
  PanelShape getOutputPanels() const {
    return {tokens, pattern.blocks * vector, getHeight(), element};
  }

  /// Tells kernels apart that differ in what is given alone.
  std::string getSuffix() const;

  /// Units of a range: those that are given, or as many as have a panel, of `columns`
  /// tokens, that fits in `bytes`, but enough for `least` kept inputs of a block, for
  /// whose sake its outputs are loaded and stored, unless their panel is very large.
  int64_t getUnitsWithin(int64_t bytes, int64_t columns, int64_t least = 24) const;
  /// Units of each of about so many equal ranges, of whole vectors.
  int64_t getUnitsOfRanges(int64_t count) const;
};

/// The ranges of inputs, of `units` units each, that a kernel goes through. Where the
/// kept inputs of a range are not where they can be computed to be, `bounds` has them:
/// bounds[r][block] is the first that is not in front of range r. Where the kept inputs
/// are sorted by ranges first, those of the next block follow instead of those of the
/// next range, and `order` has the blocks of each range in the order to go through them:
/// order[r][i], where the blocks of a bunch stay in it.
struct InputRanges {
  int64_t units;
  Value bounds;
  Value order = nullptr;
};

/// The first number from `begin` to `end` for which `read`, which ascends, is not below
/// `limit`; `end` where there is none.
Value buildLowerBound(ImplicitLocOpBuilder &b, Value begin, Value end, Value limit,
                      function_ref<Value(ImplicitLocOpBuilder &, Value)> read);

/// Ranges of `product` for the kernel that is called at the insertion point; the call
/// that finds their bounds is built there.
InputRanges createRanges(ImplicitLocOpBuilder &b, const KeptProduct &product,
                         ValueRange pattern, int64_t units, KernelLibrary &library);

/// The kept inputs of a block, from the first up to the end, that lie in some range.
/// There are `count` where that is known.
struct KeptSpan {
  Value begin, end;
  std::optional<int64_t> count;
};

/// Those in the range that starts at unit `first` and has `units`.
KeptSpan buildSpan(ImplicitLocOpBuilder &b, const KeptProduct &product,
                   const InputRanges &ranges, ValueRange pattern, Value block,
                   Value first, int64_t units);

/// Calls `body` for consecutive ranges of `size` out of `total`, with the first of
/// each and their number, which is static: the last range may be shorter.
void buildRanges(ImplicitLocOpBuilder &b, int64_t total, int64_t size,
                 function_ref<void(ImplicitLocOpBuilder &, Value, int64_t)> body);

/// Calls `body` for range `range` of those: where the last is shorter, by a branch.
void buildRange(ImplicitLocOpBuilder &b, int64_t total, int64_t size, Value range,
                function_ref<void(ImplicitLocOpBuilder &, Value, int64_t)> body);

/// The token vectors of one feature: row[r * lanes ..] for each r.
SmallVector<Value> loadTokens(ImplicitLocOpBuilder &b, const KeptProduct &product,
                              Value memref, ValueRange row);

/// Fetches the tokens of one feature, which are to be read soon.
void prefetchTokens(ImplicitLocOpBuilder &b, const KeptProduct &product, Value memref,
                    ValueRange row);

/// Calls `body` for the kept inputs of `span`, with the number and the input of each; for
/// some that are consecutive at once.
SmallVector<Value> buildKept(
    ImplicitLocOpBuilder &b, const KeptProduct &product, ValueRange pattern, Value block,
    const KeptSpan &span, ValueRange carried,
    function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, Value, Value, ValueRange)>
        body);

/// The same for kept inputs that take turns: `body` is told whose turn it is, from 0 up
/// to `turns`, so that what they carry need not wait for each other.
SmallVector<Value>
buildKeptInTurn(ImplicitLocOpBuilder &b, const KeptProduct &product, ValueRange pattern,
                Value block, const KeptSpan &span, ValueRange carried, int64_t turns,
                function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, Value, Value,
                                                int64_t, ValueRange)>
                    body);

/// A memref of identity layout as one row.
Value buildRow(ImplicitLocOpBuilder &b, Value memref);

/// The kept inputs of all blocks, whose values are `values`, as one row.
int64_t getKeptOfAll(const KeptProduct &product, Value values);

/// Calls `body` for the parts of a block, which cover it.
void buildParts(ImplicitLocOpBuilder &b, const KeptProduct &product,
                function_ref<void(ImplicitLocOpBuilder &, Part)> body);

/// Element `place` of the part of row `row`, of rows of `vector`: an output of a block,
/// or a value of a kept input.
Value buildPlace(ImplicitLocOpBuilder &b, const KeptProduct &product, Value row,
                 Part part, int64_t place);

/// The operands of a kernel; in its body the arguments of its function, with values and
/// pattern as one row each.
struct KernelOperands {
  /// Packed activations: of the input, or of lhs and rhs.
  SmallVector<Value> panels;
  /// Null for a gradient, whose values are the destination.
  Value values;
  SmallVector<Value> pattern;
  InputRanges ranges;
  /// Null where only the epilogue reads the result.
  Value destination;
  /// Null where there is none.
  const Epilogue *epilogue = nullptr;
  Epilogue::Operands ofEpilogue;
};

/// Where the epilogue, if there is one, finds its operands in a kernel that has so many
/// rows and columns of the result at once.
Epilogue::Places buildPlaces(ImplicitLocOpBuilder &b, const KernelOperands &operands,
                             int64_t rows, int64_t columns);

/// Bodies of kernels. The destinations are y, dx, and the gradient of the values as one
/// row.
void buildForward(ImplicitLocOpBuilder &b, const KeptProduct &product,
                  const KernelOperands &operands);
void buildTransposed(ImplicitLocOpBuilder &b, const KeptProduct &product,
                     const KernelOperands &operands);
void buildGradient(ImplicitLocOpBuilder &b, const KeptProduct &product,
                   const KernelOperands &operands);

/// Whether forward is better with outputs in lanes; its input is then x as it is.
bool repaysRows(const KeptProduct &product);
void buildForwardRows(ImplicitLocOpBuilder &b, const KeptProduct &product,
                      const KernelOperands &operands);
/// The same with its input in panels.
bool repaysRowsOfPanels(const KeptProduct &product);
void buildForwardRowsOfPanels(ImplicitLocOpBuilder &b, const KeptProduct &product,
                              const KernelOperands &operands);

/// Units of each kernel's ranges, and the blocks that forward goes through at a time with
/// such ranges.
int64_t getForwardUnits(const KeptProduct &product);
int64_t getForwardBunch(const KeptProduct &product, int64_t units);
int64_t getTransposedUnits(const KeptProduct &product);
int64_t getGradientUnits(const KeptProduct &product);

/// Tokens of a gradient between two sums over lanes.
int64_t getGradientChunk(const KeptProduct &product);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_LIB_CONVERSION_TOCPU_KEPTPRODUCT_H
