#ifndef SPARSAM_STRUCTURE_LORA
#define SPARSAM_STRUCTURE_LORA

include "sparsam/IR/StructureBase.td"

def Sparsam_LoRA : Sparsam_Factors<"LoRA", "lora", [
    "getTerms", "getCost", "buildFactorize"]> {
  let summary = "a frozen base plus a scaled product of two thin matrices";
  let description = [{
    W = B + alpha / r * U V with B of K x N frozen, U of K x r and V of r x N (Hu et al.,
    LoRA: Low-Rank Adaptation of Large Language Models, 2021, section 4.1). `alpha` is r
    by default, so that the scale is 1. With `base`, B is stored in that pattern.

    B starts as W, or as W's entries of largest magnitude on the pattern; U as Gaussian
    numbers of variance 1 / K, which `seed` and W decide; V as zero, so that W starts as B.

    ```mlir
    #sparsam.lora<8, alpha = 16, base = #sparsam.nm<2:8, vector = 8>>
    ```

    Constraints:
    1. 1 <= r and alpha is finite and above zero;
    2. r <= min(K, N);
    3. `base` is a pattern structure in the default view that fits the matrix.
  }];
  let parameters = (ins "int64_t":$rank,
    Sparsam_NumberParameter<"alpha; r by default">:$alpha,
    Sparsam_InnerStructure:$base,
    DefaultValuedParameter<"int64_t", "0">:$seed,
    Sparsam_ViewParameter:$in, Sparsam_StackParameter:$stack);
  let assemblyFormat = [{
    `<` $rank (`,` struct($alpha, $base, $seed, $in, $stack)^)? `>`
  }];
}

#endif // SPARSAM_STRUCTURE_LORA
