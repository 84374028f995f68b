#ifndef SPARSAM_STRUCTURE_UNSTRUCTURED
#define SPARSAM_STRUCTURE_UNSTRUCTURED

include "sparsam/IR/StructureBase.td"
include "sparsam/Structure/Density.td"

def Sparsam_Unstructured : Sparsam_Pattern<"Unstructured", "unstructured", [
    "getStorage", "getCost", "buildSelect", "buildDensify", "buildRestrict", "getIndexRules",
    "withDensity"]> {
  let summary = "any entries are stored, a fixed number of them";
  let description = [{
    Of the K x N entries `count` are stored, where count = density * K * N rounded half
    up, in compressed rows by output (CSR of the transpose): `values[count]`,
    `positions[N + 1]` and `indices[count]`. Output n has the entries from positions[n]
    up to positions[n + 1]; `indices` are their inputs, ascending in each output, as i16
    read unsigned (i32 above 65,536 inputs). `positions` are i32.

    Selection keeps the `count` entries of largest |w| of the whole matrix; ties go to
    the lower output, then to the lower input.

    Constraints:
    1. 0 <= density <= 1;
    2. count < 2^31.
  }];
  let parameters = (ins Sparsam_DensityParameter:$density, Sparsam_ViewParameter:$in,
    Sparsam_StackParameter:$stack);
  let assemblyFormat = "`` custom<UnstructuredFields>($density, $in, $stack) `>`";
}

#endif // SPARSAM_STRUCTURE_UNSTRUCTURED
