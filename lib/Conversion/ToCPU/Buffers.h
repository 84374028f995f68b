// What the passes on memrefs share: where a view's memory comes from, and the
// layouts that they can work with.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_BUFFERS_H
#define SPARSAM_LIB_CONVERSION_TOCPU_BUFFERS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

#include <optional>

namespace mlir::sparsam {

/// The allocation or function argument that `memref` is a view of, through views,
/// casts and loop-carried values that stay in one buffer; null where the IR does
/// not say.
Value getRootBuffer(Value memref);

/// What `memref` has all elements of, in the same order, in another shape or type.
Value lookThroughViews(Value memref);

/// Calls `visit` for every operation that uses `buffer` or a value that may be a
/// view of it, loop-carried ones included.
void forEachUserThroughViews(Value buffer, function_ref<void(Operation *)> visit);

/// Strides and offset, in elements, of a memref of static shape and static
/// strides; a dynamic offset is left as ShapedType::kDynamic.
struct StridedLayout {
  SmallVector<int64_t> strides;
  int64_t offset;
};
std::optional<StridedLayout> getStridedLayout(Type type);

/// The type that slices of one layout share, wherever they start; `type` itself for
/// whole buffers, and for what has no static strides.
Type getTypeAtAnyOffset(Type type);

/// Bytes of a memref with static shape and identity layout; none for elements that are
/// neither numbers nor complex.
std::optional<int64_t> getBytes(MemRefType type);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_CONVERSION_TOCPU_BUFFERS_H
