#ifndef SPARSAM_STRUCTURE_MONARCH
#define SPARSAM_STRUCTURE_MONARCH

include "sparsam/IR/StructureBase.td"

def Sparsam_Monarch : Sparsam_Factors<"Monarch", "monarch", [
    "getTerms", "getCost", "buildFactorize"]> {
  let summary = "two block-diagonal factors with a permutation in between";
  let description = [{
    With K = a * K' and N = b * N', `blocks` being a and b,

      W[(a, k), (b, n)] = sum over r of R[a, k, b, r] L[b, a, r, n]

    so each of the a * b blocks of K' x N' is of rank `rank`, 1 by default. `r` is the
    right factor of a blocks of K' x (b rank), `l` the left one of b blocks of
    (a rank) x N' (Dao et al., Monarch: Expressive structured matrices for efficient and
    accurate training, 2022, definition 3.1, for matrices that need not be square). It
    starts from the nearest such W, the truncated singular value decomposition of each
    block (theorem 1 there), balanced as `low_rank` is.

    ```mlir
    #sparsam.monarch<[24, 48]>
    ```

    Constraints:
    1. there are two numbers of blocks, and they and the rank are at least 1;
    2. K is a multiple of the first number of blocks and N of the second;
    3. the rank is at most min(K', N').
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$blocks,
    DefaultValuedParameter<"int64_t", "1">:$rank,
    Sparsam_ViewParameter:$in, Sparsam_StackParameter:$stack);
  let assemblyFormat = "`<` `[` $blocks `]` (`,` struct($rank, $in, $stack)^)? `>`";
}

#endif // SPARSAM_STRUCTURE_MONARCH
