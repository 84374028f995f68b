include "sparsam/IR/StructureBase.td"

def DiagonalBand : Sparsam_Structure<"DiagonalBand", "diagonal_band", ["getStorage"]> {
  let summary = "A square matrix that is zero beyond `width` of its diagonal";
  let parameters = (ins "int64_t":$width);
  let assemblyFormat = "`<` $width `>`";
}
