#ifndef SPARSAM_STRUCTURE_DYNAMIC
#define SPARSAM_STRUCTURE_DYNAMIC

include "sparsam/IR/StructureBase.td"

def Sparsam_Dynamic : Sparsam_Factors<"Dynamic", "dynamic", [
    "getTerms", "getCost", "buildRead", "buildGradient", "buildFactorize"]> {
  let summary = "a dense tensor of which the model reads a pattern, selected at every step";
  let description = [{
    The dense W is stored and trained; the model reads S(W), its entries on the pattern
    that `pattern` selects from W at this step. The gradient of S(W) is taken for that of
    W (the straight-through estimator; Bengio et al., 2013), so all of W is updated and
    entries come and go.

    `decay` (lambda) adds lambda (1 - mask) W to the gradient, before the optimizer, which
    draws entries that are not selected to zero (SR-STE; Zhou et al., Learning N:M
    fine-grained structured sparse neural networks from scratch, 2021, equation 9).

    `soft` subtracts from the magnitude of each selected entry the largest one that was
    not selected in its group, which makes S continuous (S-STE; Hu et al., S-STE:
    Continuous pruning function for efficient 2:4 sparse pre-training, 2024, equation 4),
    and scales by the beta that brings S(W) nearest to W, found once for the initial W
    and then kept (equation 8). Where outputs share a pattern the group's scores are
    shrunk in the same way.

    ```mlir
    #sparsam.dynamic<nm<2:4>, decay = 0.0002>
    ```

    Constraints:
    1. `pattern` is a pattern structure in the default view;
    2. `pattern` fits the matrix;
    3. decay is finite and not below zero;
    4. decay and soft exclude one another.
  }];
  let parameters = (ins Sparsam_InnerStructure:$pattern,
    Sparsam_NumberParameter<"lambda; none by default">:$decay,
    DefaultValuedParameter<"bool", "false">:$soft,
    Sparsam_ViewParameter:$in, Sparsam_StackParameter:$stack);
  let assemblyFormat = [{
    `<` $pattern (`,` struct($decay, $soft, $in, $stack)^)? `>`
  }];
}

#endif // SPARSAM_STRUCTURE_DYNAMIC
