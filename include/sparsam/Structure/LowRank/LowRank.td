#ifndef SPARSAM_STRUCTURE_LOWRANK
#define SPARSAM_STRUCTURE_LOWRANK

include "sparsam/IR/StructureBase.td"

def Sparsam_LowRank : Sparsam_Factors<"LowRank", "low_rank", [
    "getTerms", "getCost", "buildFactorize"]> {
  let summary = "a product of two thin matrices";
  let description = [{
    W = U V with U of K x r and V of r x N. It starts from the truncated singular
    value decomposition W ~ A S B^T, balanced: U = A sqrt(S), V = sqrt(S) B^T
    (Eckart and Young, 1936). With `factors`, U and V are stored in that pattern, each as
    a matrix of its own.

    ```mlir
    #sparsam.low_rank<64, factors = #sparsam.nm<2:4>>
    ```

    Constraints:
    1. 1 <= r;
    2. r <= min(K, N);
    3. `factors` is a pattern structure in the default view that fits U and V.
  }];
  let parameters = (ins "int64_t":$rank, Sparsam_InnerStructure:$factors,
    Sparsam_ViewParameter:$in, Sparsam_StackParameter:$stack);
  let assemblyFormat = "`<` $rank (`,` struct($factors, $in, $stack)^)? `>`";
}

#endif // SPARSAM_STRUCTURE_LOWRANK
