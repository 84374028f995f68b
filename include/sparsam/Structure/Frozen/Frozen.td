#ifndef SPARSAM_STRUCTURE_FROZEN
#define SPARSAM_STRUCTURE_FROZEN

include "sparsam/IR/StructureBase.td"

def Sparsam_Frozen : Sparsam_Factors<"Frozen", "frozen", [
    "getTerms", "getCost", "buildFactorize"]> {
  let summary = "the dense tensor, which training leaves as it is";
  let description = [{
    W is stored as it is, in the shape of its K x N matrix, and has no gradient, no
    optimizer state and no update: what the step would compute for these alone is gone.
    It is in no norm that joins the tensors of the step.

    Constraints: none but those of every structure.
  }];
  let parameters = (ins Sparsam_ViewParameter:$in, Sparsam_StackParameter:$stack);
  let assemblyFormat = "(`<` struct($in, $stack)^ `>`)?";
}

#endif // SPARSAM_STRUCTURE_FROZEN
