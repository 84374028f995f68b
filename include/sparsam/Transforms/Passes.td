#ifndef SPARSAM_TRANSFORMS_PASSES
#define SPARSAM_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def ImportPass : Pass<"sparsam-import", "::mlir::ModuleOp"> {
  let summary = "take in what framework importers leave";
}

def FindParametersPass : Pass<"sparsam-find-parameters", "::mlir::ModuleOp"> {
  let summary = "find parameters, their gradients and their optimizer state";
}

def ApplyStructurePass : Pass<"sparsam-apply-structure", "::mlir::ModuleOp"> {
  let summary = "give parameters their structure";
  let options = [
    Option<"structures", "structures", "std::string", /*default=*/"\"\"",
           "`glob=structure` pairs separated by `;`; the first match wins">,
  ];
}

def ExpandStoragePass : Pass<"sparsam-expand-storage", "::mlir::ModuleOp"> {
  let summary = "replace structured arguments by their storage";
}

def PropagatePass : Pass<"sparsam-propagate", "::mlir::ModuleOp"> {
  let summary = "move densify and restrict into the products";
}

def LowerStoragePass : Pass<"sparsam-lower-storage", "::mlir::ModuleOp"> {
  let summary = "build densify, restrict, select and factorize out of upstream operations";
  let description = [{
    What propagation leaves of `densify` and `restrict`, and the `select` and
    `factorize` that companion functions such as `@compress` consist of, become
    linalg, tensor, arith and scf. Each structure builds its own
    (`StructureInterface::buildDensify` and so on); the densify of a factor structure
    is the product of its einsum. A parameter whose view is not the default one is
    reshaped, or transposed, around that.

    ```mlir
    %v = sparsam.restrict %w on %i {structure = #sparsam.nm<2:4>}
        : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
    ```
    becomes
    ```mlir
    %0 = tensor.empty() : tensor<4x8x1xf32>
    %v = linalg.generic {...} ins(%i : tensor<4x8xi16>) outs(%0 : tensor<4x8x1xf32>) {
    ^bb0(%in: i16, %out: f32):
      %row = arith.index_castui %in : i16 to index
      ...
      %entry = tensor.extract %w[%row, %column] : tensor<16x4xf32>
      linalg.yield %entry : f32
    } -> tensor<4x8x1xf32>
    ```

    `factorize` of `low_rank` calls `sparsam_svd_f32` or `sparsam_svd_f64` of the
    runtime library.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numLowered", "lowered", "Number of operations lowered">];
}

#endif // SPARSAM_TRANSFORMS_PASSES
