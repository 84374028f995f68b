include "sparsam/IR/StructureBase.td"

def Extension_Band : Sparsam_Pattern<"Band", "band", [
    "getStorage", "getCost", "buildSelect", "buildDensify", "buildRestrict",
    "verifyPattern"]> {
  let summary = "each output has `width` consecutive inputs, which slide along with it";
  let description = [{
    Of a K x N matrix output n has the inputs from floor(n (K - width + 1) / N) on, a band
    along the diagonal. The pattern follows from the shape, so that nothing but `values`,
    N x width, is stored.

    Constraints:
    1. 1 <= width;
    2. width <= K.
  }];
  let parameters = (ins "int64_t":$width, Sparsam_ViewParameter:$in,
    Sparsam_StackParameter:$stack);
  let assemblyFormat = "`<` $width (`,` struct($in, $stack)^)? `>`";
}
