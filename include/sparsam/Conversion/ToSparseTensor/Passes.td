#ifndef SPARSAM_CONVERSION_TOSPARSETENSOR_PASSES
#define SPARSAM_CONVERSION_TOSPARSETENSOR_PASSES

include "mlir/Pass/PassBase.td"

// Products by upstream's sparsifier.

def ToSparseTensorPass : Pass<"sparsam-to-sparse-tensor", "::mlir::ModuleOp"> {
  let summary = "say structured products in the upstream dialect sparse_tensor";
  let description = [{
    The reference lowering of `sparsam.spmm` and `sparsam.sddmm`, and the bridge to other
    compilers. Each product becomes a call of a private function of its own, which products
    of one structure, kind and shape share: upstream sparsification is never to see dense
    code. The function assembles the storage to a tensor with a `sparse_tensor` encoding
    (`SparseTensorInterface`, an external model of the structure) and multiplies it by
    `linalg.generic`. Zeros are written into the destination of a spmm in front of the call.

    ```mlir
    %y = sparsam.spmm %x, %values, %positions, %indices into %init
        {structure = #sparsam.unstructured<density = 0.25>}
        : (tensor<8x16xf32>, tensor<16xf32>, tensor<5xi32>, tensor<16xi16>, tensor<8x4xf32>)
        -> tensor<8x4xf32>
    ```
    becomes
    ```mlir
    #CSR = #sparse_tensor.encoding<{
        map = (n, k) -> (n : dense, k : compressed), posWidth = 32, crdWidth = 16}>

    %zeros = linalg.fill ins(%zero : f32) outs(%init : tensor<8x4xf32>) -> tensor<8x4xf32>
    %y = call @sparsam_sparse_tensor_spmm(%x, %values, %positions, %indices, %zeros) : ...

    func.func private @sparsam_sparse_tensor_spmm(...) attributes {no_inline} {
      %w = sparse_tensor.assemble (%positions, %indices), %values
          : (tensor<5xi32>, tensor<16xi16>), tensor<16xf32> to tensor<4x16xf32, #CSR>
      %y = linalg.generic {...} ins(%x, %w : ...) outs(%zeros : ...) {...}
      return %y : tensor<8x4xf32>
    }
    ```

    Products on tensors give functions that `mlir-opt --sparsifier` takes. Products on
    memrefs, after bufferization, give functions that write over their last argument;
    `sparsam-sparsify` lowers those.

    | structure | encoding |
    |---|---|
    | `unstructured` | CSR by output |
    | `block` | BSR by output; positions count the blocks of each row, which are equally many |
    | `nm` | an N:M level, with coordinates in each M; with `vector` > 1 BSR of 1 x V blocks, as upstream's N:M levels are last |

    A structure that has no such form, and a product of dynamic shape, stay for our own
    kernels, with a remark that says why.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::sparse_tensor::SparseTensorDialect",
    "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numProducts", "products", "Number of products expressed">,
    Statistic<"numKept", "kept", "Number of products that stay">];
}

def SparsifyPass : Pass<"sparsam-sparsify", "::mlir::ModuleOp"> {
  let summary = "run upstream sparsification on functions of sparse tensors only";
  let description = [{
    Upstream's passes sparsify and bufferize whole modules, to the cost of the dense code in
    them, and their parallel loops reduce into one place without care. This pass runs them
    on one function at a time, each that uses the dialect `sparse_tensor`, in a module of
    its own, with serial loops and without the runtime library: named ops are spelled out,
    which sparsification would leave alone, then sparsified and bufferized. What such a
    function returns is written over an argument, and the result is dropped.

    ```mlir
    func.func private @spmm(%x: memref<8x16xf32>, %values: memref<16xf32>,
        %positions: memref<5xi32>, %indices: memref<16xi16>, %y: memref<8x4xf32>) {
      %w = sparse_tensor.assemble ...
      %0 = linalg.generic {...} ins(%x_tensor, %w : ...) outs(%y_tensor : ...) {...}
    ```
    becomes
    ```mlir
    scf.for %m = %c0 to %c8 step %c1 {
      scf.for %n = %c0 to %c4 step %c1 {
        ...
        scf.for %place = %begin to %end step %c1 iter_args(%sum = %0) -> (f32) {
    ```
  }];
  let statistics = [
    Statistic<"numFunctions", "functions", "Number of functions sparsified">];
}

#endif // SPARSAM_CONVERSION_TOSPARSETENSOR_PASSES
