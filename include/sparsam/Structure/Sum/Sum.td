#ifndef SPARSAM_STRUCTURE_SUM
#define SPARSAM_STRUCTURE_SUM

include "sparsam/IR/StructureBase.td"

def Sparsam_Sum : Sparsam_Factors<"Sum", "sum", [
    "getTerms", "getCost", "buildFactorize"]> {
  let summary = "a factor structure plus entries on a pattern";
  let description = [{
    W = A + S with A of a factor structure and S of a pattern structure, as in sparse
    plus low-rank training (Han et al., SLTrain, 2024). The storage is that of A, then
    that of S. A starts as it would alone; S takes the entries of largest magnitude of
    the residual W - A (Candes et al., Robust principal component analysis, 2011).

    ```mlir
    #sparsam.sum<low_rank<16>, nm<1:8>>
    ```

    Constraints:
    1. the first structure is a factor structure;
    2. the second structure is a pattern structure;
    3. both are in the default view: the view is the sum's;
    4. both fit the matrix;
    5. no two tensors of the storage have one name.
  }];
  let parameters = (ins Sparsam_InnerStructure:$factors, Sparsam_InnerStructure:$pattern,
    Sparsam_ViewParameter:$in, Sparsam_StackParameter:$stack);
  let assemblyFormat = "`<` $factors `,` $pattern (`,` struct($in, $stack)^)? `>`";
}

#endif // SPARSAM_STRUCTURE_SUM
