#ifndef SPARSAM_STRUCTURE_BLOCK
#define SPARSAM_STRUCTURE_BLOCK

include "sparsam/IR/StructureBase.td"
include "sparsam/Structure/Density.td"

def Sparsam_Block : Sparsam_Pattern<"Block", "block", [
    "getStorage", "getCost", "buildSelect", "buildDensify", "buildRestrict", "getIndexRules",
    "getUnit", "withDensity"]> {
  let summary = "of each row of dense blocks the same number is stored";
  let description = [{
    The matrix is cut into blocks of R inputs x C outputs. For each C consecutive
    outputs, a *block row*, p of the K/R blocks are stored, where p = density * K/R
    rounded half up. A K x N matrix is stored as `values[N/C][p][R][C]` and
    `indices[N/C][p]`: which block of inputs each is, ascending, as i16 read unsigned
    (i32 above 65,536 blocks).

    Selection keeps, per block row, the p blocks with the largest sum of |w|; ties go
    to the lower index.

    Constraints:
    1. R >= 1 and C >= 1;
    2. 0 <= density <= 1;
    3. K is a multiple of R;
    4. N is a multiple of C.
  }];
  let parameters = (ins "int64_t":$blockInputs, "int64_t":$blockOutputs,
    Sparsam_DensityParameter:$density, Sparsam_ViewParameter:$in,
    Sparsam_StackParameter:$stack);
  let assemblyFormat = [{
    `<` custom<BlockShape>($blockInputs, $blockOutputs)
    `` custom<BlockFields>($density, $in, $stack) `>`
  }];
  let extraClassDeclaration = [{
    /// Blocks that a block row of K inputs stores.
    int64_t getStoredBlocks(int64_t inputs) const;
  }];
}

#endif // SPARSAM_STRUCTURE_BLOCK
