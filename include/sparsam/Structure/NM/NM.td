#ifndef SPARSAM_STRUCTURE_NM
#define SPARSAM_STRUCTURE_NM

include "sparsam/IR/StructureBase.td"

def Sparsam_NM : Sparsam_Pattern<"NM", "nm", [
    "getStorage", "getCost", "buildSelect", "buildDensify", "buildRestrict",
    "buildShrinkage", "getIndexRules", "getUnit"]> {
  let summary = "of every M consecutive inputs N are stored";
  let description = [{
    Of each group of M consecutive inputs N are stored, and `vector` (V)
    consecutive outputs share what they keep. A K x N' matrix is stored as
    `values[N'/V][K/M*N][V]` and `indices[N'/V][K/M*N]`: the kept inputs of each
    block of outputs, absolute and ascending, as i16 read unsigned (i32 above 65,536
    inputs).

    Selection keeps, per group, the N inputs with the largest sum of |w| over the V
    outputs; ties go to the lower index.

    A `transposable` pattern is one of N of M along the outputs too: in each M x M block
    of inputs and outputs every input and every output keeps N entries, so that x * W and
    dy * W^T both have it. Its storage is that of V = 1. Selection keeps the entries of
    largest total |w| that are such a pattern, exactly, for any M; of several that are as
    large it keeps one, always the same.

    Constraints:
    1. 1 <= N <= M and V >= 1;
    2. K is a multiple of M;
    3. N' is a multiple of V;
    4. V = 1 where the pattern is transposable;
    5. N' is a multiple of M where the pattern is transposable.
  }];
  let parameters = (ins "int64_t":$n, "int64_t":$m, "bool":$transposable,
    DefaultValuedParameter<"int64_t", "1">:$vector,
    Sparsam_ViewParameter:$in, Sparsam_StackParameter:$stack);
  let assemblyFormat = [{
    `<` $n `` `:` `` $m `` custom<NMOptions>($transposable, $vector, $in, $stack) `>`
  }];
}

#endif // SPARSAM_STRUCTURE_NM
