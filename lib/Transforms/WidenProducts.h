// Products of numbers narrower than f32, as products in f32 of what these are.
//
// A sum of products of bf16 is accumulated in f32 and, where the result is bf16, rounded
// once at its end; that is what `sparsam-to-cpu` computes for dense ones too. Written
// out, the conversions are elementwise work on the operands and the result, and the
// product is one that the other rules know.
#ifndef SPARSAM_LIB_TRANSFORMS_WIDENPRODUCTS_H
#define SPARSAM_LIB_TRANSFORMS_WIDENPRODUCTS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::sparsam {

/// Whether `op` sums products of two operands, in an element type narrower than f32
/// somewhere.
bool isNarrowProduct(Operation *op);

/// Replaces a narrow product by one in f32. Returns the product, before it is rounded.
Value widenProduct(RewriterBase &rewriter, linalg::LinalgOp op);

/// The tensor that `value` is converted from, by an elementwise op that does nothing
/// else; null where it is none.
Value getConverted(Value value);

/// What `value` of f32 is up to rounding to narrower numbers and back, made at the
/// rewriter's insertion point: views and sums are looked through, and narrow products
/// become products in f32. `value` itself where nothing is rounded.
Value createUnrounded(RewriterBase &rewriter, Value value);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_WIDENPRODUCTS_H
