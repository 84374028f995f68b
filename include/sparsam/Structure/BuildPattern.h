// What rooms of pattern structures build their IR on tensors with.
#ifndef SPARSAM_STRUCTURE_BUILDPATTERN_H
#define SPARSAM_STRUCTURE_BUILDPATTERN_H

#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "sparsam/IR/Structure.h"

namespace mlir::sparsam {

Value createZeros(ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape, Type element);

/// (d0, ..., d(rank - 1)) -> the dimensions at `positions`.
AffineMap getDims(ImplicitLocOpBuilder &b, unsigned rank, ArrayRef<unsigned> positions);

/// One linalg.generic of one result whose body is a single expression.
Value createGeneric(ImplicitLocOpBuilder &b, ValueRange inputs, Value init,
                    ArrayRef<AffineMap> maps, ArrayRef<utils::IteratorType> iterators,
                    function_ref<Value(ImplicitLocOpBuilder &, ValueRange)> body);

/// Each element of `source` through `body`, as elements of another type.
Value createMap(ImplicitLocOpBuilder &b, Value source, Type element,
                function_ref<Value(ImplicitLocOpBuilder &, Value)> body);

/// Integers narrowed or widened, unsigned, to `element`.
Value createStoredIndices(ImplicitLocOpBuilder &b, Value indices, Type element);

/// The sums of |w| over the `vector` outputs of each block: K x N to N/vector x K.
Value createBlockScores(ImplicitLocOpBuilder &b, Value scores, int64_t vector);

/// The `n` members of each group that have the largest scores, ascending, as i32:
/// blocks x groups x M to blocks x groups x n. Ties go to the lower member.
Value createGroupSelection(ImplicitLocOpBuilder &b, Value scores, int64_t n);

/// The inputs that members of groups of M inputs are: member + M * group.
Value createInputsOfMembers(ImplicitLocOpBuilder &b, Value members, int64_t m);

/// The columns of the `count` largest entries of each row, ascending, as i64: rows x
/// columns to rows x count. Ties go to the lower column.
Value createRowSelection(ImplicitLocOpBuilder &b, Value scores, int64_t count);

/// Calls a function of the runtime that reads `inputs` and writes tensors of `results`.
/// It takes memrefs of any sizes, and then `numbers`.
SmallVector<Value> createRuntimeCall(ImplicitLocOpBuilder &b, StringRef name,
                                     ValueRange inputs,
                                     ArrayRef<RankedTensorType> results,
                                     ValueRange numbers = {});

/// The runtime's function of that name for `element`: its bits are appended.
std::string getRuntimeName(StringRef name, Type element);

/// for (i = first; i < end; ++i) that carries one tensor.
Value createLoop(ImplicitLocOpBuilder &b, Value first, Value end, Value carried,
                 function_ref<Value(ImplicitLocOpBuilder &, Value, Value)> body);

/// Element `at` of a tensor of indices.
Value createIndexRead(ImplicitLocOpBuilder &b, Value indices, ValueRange at);

/// The dense matrix of type `matrix` that has each of `values` at the row and column that
/// `place` builds from its indices, and zero elsewhere.
Value createScatter(
    ImplicitLocOpBuilder &b, Value values, RankedTensorType matrix,
    function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)> place);

/// Its adjoint: the entries of `matrix` that `structure` stores, each from the row and
/// column that `place` builds. `place` takes one element of each of `indices`, as an
/// index, that at those dimensions of the entry's place which `dims` gives for the
/// tensor.
FailureOr<Value>
createGather(OpBuilder &builder, Location loc, StructureInterface structure, Value matrix,
             ValueRange indices, ArrayRef<SmallVector<unsigned>> dims,
             function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)> place);

} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_BUILDPATTERN_H
