include "sparsam/IR/StructureBase.td"

def Extension_LoRAXS : Sparsam_Factors<"LoRAXS", "lora_xs", [
    "getTerms", "getCost", "buildFactorize"]> {
  let summary = "a frozen matrix plus a small trained one between frozen singular vectors";
  let description = [{
    W = W0 + U R V with W0, U and V frozen and R of r x r trained, zero at the start
    (Balazy et al., LoRA-XS: Low-rank adaptation with extremely small number of parameters,
    2024). U and V are the balanced truncated singular value decomposition of W0.

    Constraints:
    1. 1 <= r;
    2. r <= min(K, N).
  }];
  let parameters = (ins "int64_t":$rank, Sparsam_ViewParameter:$in,
    Sparsam_StackParameter:$stack);
  let assemblyFormat = "`<` $rank (`,` struct($in, $stack)^)? `>`";
}
