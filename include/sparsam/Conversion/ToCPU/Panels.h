// Tokens in lanes: matrices packed into panels of a few tokens, feature by feature,
// and what moves between rows and panels.
#ifndef SPARSAM_CONVERSION_TOCPU_PANELS_H
#define SPARSAM_CONVERSION_TOCPU_PANELS_H

#include "sparsam/Conversion/ToCPU/CpuKernels.h"

namespace mlir::sparsam {

/// A tokens x features matrix as panels of `height` tokens: element (t, f) is at
/// [t / height][f][t % height]. Tokens that the last panel lacks are zero.
struct PanelShape {
  int64_t tokens, features, height;
  Type element;

  int64_t getCount() const { return (tokens + height - 1) / height; }
  /// Whether each panel has all its tokens.
  bool isEven() const { return tokens % height == 0; }
  /// Elements from one panel to the next. A cache line more than a panel: strides
  /// of a multiple of the page size map all panels to the same cache sets.
  int64_t getStride() const;
  /// Panels in memory, a row each.
  MemRefType getBufferType() const;
};

/// Packs `matrix` (tokens x features) into a new buffer of panels.
Value packPanels(RewriterBase &rewriter, Location loc, Value matrix, int64_t height,
                 KernelLibrary &library);

/// The buffer of panels as count x features x height.
Value viewPanels(ImplicitLocOpBuilder &b, Value buffer, const PanelShape &shape);

/// Builds the store of a panel's `features` first rows of `scratch` (features x
/// height) to columns `column` and following of the tokens of panel `panel` in
/// `matrix`. The scratch has rows up to the next multiple of the vector's lanes. A number
/// of features that is not constant is a multiple of the lanes, or they are the last ones
/// and `column` is a multiple.
void buildUnpack(ImplicitLocOpBuilder &b, Value scratch, Value features, Value matrix,
                 Value panel, Value column, int64_t lanes);

/// n vectors of n lanes, transposed.
SmallVector<Value> buildTranspose(ImplicitLocOpBuilder &b, ArrayRef<Value> rows);

/// One vector of the n vectors' sums over their lanes; n is a power of two and at
/// most the number of lanes.
Value buildLaneSums(ImplicitLocOpBuilder &b, ArrayRef<Value> vectors);

/// Shorthands for index arithmetic and loops.
Value buildIndex(ImplicitLocOpBuilder &b, int64_t value);
Value buildOffset(ImplicitLocOpBuilder &b, Value base, int64_t offset);
Value buildScaled(ImplicitLocOpBuilder &b, Value factor, int64_t scale);

/// for (i = first; i < end; i += step), with or without carried values.
SmallVector<Value> buildFor(
    ImplicitLocOpBuilder &b, Value first, Value end, int64_t step, ValueRange carried,
    function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, Value, ValueRange)> body);
void buildFor(ImplicitLocOpBuilder &b, Value first, Value end, int64_t step,
              function_ref<void(ImplicitLocOpBuilder &, Value)> body);
void buildFor(ImplicitLocOpBuilder &b, int64_t end, int64_t step,
              function_ref<void(ImplicitLocOpBuilder &, Value)> body);
/// The same in parallel, step 1.
void buildParallel(ImplicitLocOpBuilder &b, int64_t end,
                   function_ref<void(ImplicitLocOpBuilder &, Value)> body);
/// Builds `body` where the condition holds, and where it does not `otherwise`, if there
/// is such a thing.
void buildIf(ImplicitLocOpBuilder &b, Value condition,
             function_ref<void(ImplicitLocOpBuilder &)> body,
             function_ref<void(ImplicitLocOpBuilder &)> otherwise = nullptr);
/// Fetches the cache line of memref[at], which is to be read or written soon, into the
/// first level.
void prefetch(ImplicitLocOpBuilder &b, Value memref, ValueRange at, bool isWrite = false);

} // namespace mlir::sparsam

#endif // SPARSAM_CONVERSION_TOCPU_PANELS_H
