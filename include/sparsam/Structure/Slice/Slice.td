#ifndef SPARSAM_STRUCTURE_SLICE
#define SPARSAM_STRUCTURE_SLICE

include "sparsam/IR/StructureBase.td"

def Sparsam_Slice : Sparsam_Pattern<"Slice", "slice", [
    "getStorage", "getCost", "buildSelect", "buildDensify", "buildRestrict",
    "getIndexRules", "getSlicedAxes", "couple", "buildCoupledSelect"]> {
  let summary = "of coupled dimensions of several parameters the same entries are kept";
  let description = [{
    Hidden neurons, attention heads, channels: an axis that several parameters have in
    common, of which some entries are kept and all others are zero, in all of these
    parameters. What is stored is a smaller dense matrix. A *request* names how many are
    kept, as a count or as a share (a number with a point) that is rounded half up to at
    least 1, and may name the group of its axis:

    ```mlir
    #sparsam.slice<keep = 0.75>
    #sparsam.slice<group = "blocks/0/fc:1", keep = 2304>
    ```

    Without a name it is the outermost axis of the first output dimension.
    `sparsam-apply-structure` completes it and extends it over all parameters of the
    group; a parameter that is in two groups has two axes. Where an axis lies in the
    rows (inputs) and columns (outputs) of the matrix is a list of segments,
    `offset:outer x size x inner`: entry i of the axis is all rows
    `offset + (o * size + i) * inner + j` for o < outer, j < inner.

    ```mlir
    #sparsam.slice<group = "blocks/0/fc:1", keep = 2304, columns = [0:1x3072x1]>
    #sparsam.slice<group = "blocks/0/qkv:1[3x(12)x64]", keep = 9, columns = [0:3x12x64]>
    ```

    The storage of a K x N matrix is `values[K'][N']`, its kept rows and columns in
    order, and for each axis its kept entries, ascending, as i16 read unsigned (i32 above
    65,536): `indices` of one axis, `indices0`, `indices1`, … of several. The indices of
    a group are the same in all of its parameters.

    Selection keeps, per group, the entries with the largest sum of w * w over all of its
    parameters; ties go to the lower index.

    Constraints:
    1. there is an axis, and no two axes have one group;
    2. keep >= 1, and a share is above 0 and at most 1;
    3. each axis with segments has a name, and its keep is a count; where one has a segment,
       all have. The segments of an axis have one size, and keep is at most that;
    4. segments are at least 1 x 1 x 1 and lie within the rows or columns, those of one axis
       do not overlap, and where those of several do, each repeats inside the other's
       entries or the other way round;
    5. what is only a request has no storage.
  }];
  let parameters = (ins
    ArrayRefParameter<"::mlir::StringAttr">:$groups,
    ArrayRefParameter<"int64_t">:$keeps,
    OptionalParameter<"std::optional<::llvm::APFloat>">:$share,
    ArrayRefParameter<"int64_t">:$places,
    OptionalArrayRefParameter<"int64_t">:$in,
    OptionalArrayRefParameter<"int64_t">:$stack);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// Of axes with segments, in the default view or in `in`.
    static SliceAttr get(::mlir::MLIRContext *context,
                         ::llvm::ArrayRef<SlicedAxis> axes,
                         ::llvm::ArrayRef<int64_t> in);
    /// Whether it is yet to be completed.
    bool isRequest() const { return getPlaces().empty(); }
  }];
}

#endif // SPARSAM_STRUCTURE_SLICE
