#ifndef SPARSAM_STRUCTURE_VNM
#define SPARSAM_STRUCTURE_VNM

include "sparsam/IR/StructureBase.td"

def Sparsam_VNM : Sparsam_Pattern<"VNM", "vnm", [
    "getStorage", "getCost", "buildSelect", "buildDensify", "buildRestrict", "getIndexRules"]> {
  let summary = "of every M inputs V outputs share 4, and each output keeps N of those";
  let description = [{
    The V:N:M format of VENOM (Castro et al., SC 2023). V consecutive outputs share 4
    *columns* of each M consecutive inputs, and each output keeps N of those 4. A K x N'
    matrix is stored as `values[N'][K/M*N]`, `columns[N'/V][K/M*4]`, the shared inputs,
    absolute and ascending, as i16 read unsigned (i32 above 65,536 inputs), and
    `indices[N'][K/M*N]`, which of the group's 4 columns each value is in, ascending, from
    0 to 3, as i16.

    Selection takes, per group and V outputs, the 4 inputs with the largest sum of |w|,
    and then, per output, the N of those with the largest |w|; ties go to the lower index.

    Constraints:
    1. 1 <= N <= 4;
    2. M >= 4;
    3. V >= 1;
    4. K is a multiple of M;
    5. N' is a multiple of V.
  }];
  let parameters = (ins "int64_t":$v, "int64_t":$n, "int64_t":$m,
    Sparsam_ViewParameter:$in, Sparsam_StackParameter:$stack);
  let assemblyFormat = [{
    `<` $v `,` $n `` `:` `` $m (`,` struct($in, $stack)^)? `>`
  }];
}

#endif // SPARSAM_STRUCTURE_VNM
