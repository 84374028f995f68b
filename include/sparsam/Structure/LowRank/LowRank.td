#ifndef SPARSAM_STRUCTURE_LOWRANK
#define SPARSAM_STRUCTURE_LOWRANK

include "sparsam/IR/StructureBase.td"

def Sparsam_LowRank : Sparsam_Structure<"LowRank", "low_rank", [
    "getTerms", "getCost", "buildFactorize"]> {
  let summary = "a product of two thin matrices";
  let description = [{
    W = U V with U of K x r and V of r x N. It starts from the truncated singular
    value decomposition W ~ A S B^T, balanced: U = A sqrt(S), V = sqrt(S) B^T
    (Eckart and Young, 1936).

    Constraints:
    1. 1 <= r;
    2. r <= min(K, N).
  }];
  let parameters = (ins "int64_t":$rank, Sparsam_ViewParameter:$in,
    Sparsam_StackParameter:$stack);
  let assemblyFormat = "`<` $rank (`,` struct($in, $stack)^)? `>`";
}

#endif // SPARSAM_STRUCTURE_LOWRANK
