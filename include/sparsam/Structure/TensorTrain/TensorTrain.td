#ifndef SPARSAM_STRUCTURE_TENSORTRAIN
#define SPARSAM_STRUCTURE_TENSORTRAIN

include "sparsam/IR/StructureBase.td"

def Sparsam_TensorTrain : Sparsam_Factors<"TensorTrain", "tensor_train", [
    "getTerms", "getCost", "buildFactorize"]> {
  let summary = "a chain of cores, one for each pair of input and output pieces";
  let description = [{
    With K = K1 ... Kd and N = N1 ... Nd,

      W[(k1 ... kd), (n1 ... nd)] = sum over r1 ... of G1[k1, n1, r1] G2[r1, k2, n2, r2] ... Gd[r(d-1), kd, nd]

    (Novikov et al., Tensorizing neural networks, 2015, equation 6). The storage is
    `core0` ... : the first without a left rank, the last without a right one. It starts
    from the TT-SVD of W (Oseledets, Tensor-train decomposition, 2011, algorithm 1), with
    the norm spread evenly over the cores.

    ```mlir
    #sparsam.tensor_train<[16, 48], [32, 96], ranks = [24]>
    ```

    Constraints:
    1. there are as many input pieces as output pieces, from 2 to 8;
    2. there is one rank fewer, and pieces and ranks are at least 1;
    3. the pieces' products are K and N;
    4. a rank is at most the product of the pieces on either side of it.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$inputs,
    ArrayRefParameter<"int64_t">:$outputs, Sparsam_ListParameter:$ranks,
    Sparsam_ViewParameter:$in, Sparsam_StackParameter:$stack);
  let assemblyFormat = [{
    `<` `[` $inputs `]` `,` `[` $outputs `]` `,` struct($ranks, $in, $stack) `>`
  }];
}

#endif // SPARSAM_STRUCTURE_TENSORTRAIN
