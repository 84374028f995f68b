#ifndef SPARSAM_CONVERSION_PASSES
#define SPARSAM_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

// Passes of one target each; a target's pipeline is in Pipelines.

//===----------------------------------------------------------------------===//
// CPU, on tensors
//===----------------------------------------------------------------------===//

def FoldReshapesPass : Pass<"sparsam-fold-reshapes"> {
  let summary = "give loops the dimensions that reshapes split";
  let description = [{
    Importers flatten the dimensions of a product's operands and split those of its
    result, so that every product is a `linalg.matmul` between reshapes, which keep the
    elementwise work on both sides apart. This pass makes a `linalg.generic` of every
    named op and gives its loops the dimensions that a reshape in front of it or behind
    it splits; the reshapes meet and cancel. Unit dimensions should be folded before
    (`linalg-fold-unit-extent-dims`).

    ```mlir
    %0 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<4x8x16xf32> into tensor<32x16xf32>
    %1 = linalg.matmul ins(%0, %w : tensor<32x16xf32>, tensor<16x2xf32>)
        outs(%init : tensor<32x2xf32>) -> tensor<32x2xf32>
    %2 = tensor.expand_shape %1 [[0, 1], [2]] output_shape [4, 8, 2]
        : tensor<32x2xf32> into tensor<4x8x2xf32>
    ```

    becomes one op over four loops:

    ```mlir
    %2 = linalg.generic {
        indexing_maps = [affine_map<(b, t, n, k) -> (b, t, k)>,
                         affine_map<(b, t, n, k) -> (k, n)>,
                         affine_map<(b, t, n, k) -> (b, t, n)>], ...}
        ins(%x, %w : tensor<4x8x16xf32>, tensor<16x2xf32>)
        outs(%expanded : tensor<4x8x2xf32>) {...} -> tensor<4x8x2xf32>
    ```

    A slice that is flattened before it is inserted is inserted as it is, into the
    whole of that shape.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
  ];
  let statistics = [
    Statistic<"numGeneralized", "generalized", "named ops spelled out">,
  ];
}

def FoldTransposesPass : Pass<"sparsam-fold-transposes"> {
  let summary = "let products read and write permuted operands";
  let description = [{
    A GEMM reads its operands transposed at no cost, and batched ones at any stride. A
    generic that only permutes what a product (`linalg.generic` that multiplies and adds
    over rows, columns and sums) reads, or what it returns, is folded into the product's
    maps. It is not where a product would result whose rows, columns or summed
    dimensions do not flatten to one dimension with one stride, which no GEMM runs.

    ```mlir
    %t = linalg.generic {
        indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>], ...}
        ins(%w : tensor<16x2xf32>) ... -> tensor<2x16xf32>
    %y = linalg.generic {
        indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                         affine_map<(m, n, k) -> (k, n)>,
                         affine_map<(m, n, k) -> (m, n)>], ...}
        ins(%x, %t : tensor<8x2xf32>, tensor<2x16xf32>) ... -> tensor<8x16xf32>
    ```

    becomes

    ```mlir
    %y = linalg.generic {
        indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                         affine_map<(m, n, k) -> (n, k)>,
                         affine_map<(m, n, k) -> (m, n)>], ...}
        ins(%x, %w : tensor<8x2xf32>, tensor<16x2xf32>) ... -> tensor<8x16xf32>
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numOperands", "operands", "permutations folded into operands">,
    Statistic<"numResults", "results", "permutations folded into results">,
  ];
}

def FuseElementwisePass : Pass<"sparsam-fuse-elementwise"> {
  let summary = "compute elementwise producers where they are read";
  let description = [{
    A framework's step is a thousand elementwise ops that each read and write memory.
    This pass computes a producer inside of the ops that read it, in program order:

    - what computes nothing (a broadcast, a transpose) always;
    - a result with one reader, unless the reader's iteration space is larger and the
      producer divides, calls a function, gathers, or has more than two operations;
    - a result with several readers in each of them, if none of them needs it in memory
      (a product, a return) and recomputing it reads at most one operand as large as
      itself. Gathers are never repeated.

    Operands that are read twice in the same way become one, and fills become scalars.
    Products are left alone; see `sparsam-fold-transposes`.

    ```mlir
    %0 = linalg.generic {indexing_maps = [#id, #id], ...} ins(%x : tensor<8xf32>) ... {
      %e = math.exp %in : f32
      ...
    %1 = linalg.generic {indexing_maps = [#id, #id, #id], ...} ins(%0, %x : ...) ... {
      %m = arith.mulf %a, %b : f32
      ...
    ```

    becomes

    ```mlir
    %1 = linalg.generic {indexing_maps = [#id, #id], ...} ins(%x : tensor<8xf32>) ... {
      %e = math.exp %in : f32
      %m = arith.mulf %e, %in : f32
      ...
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect"];
  let statistics = [
    Statistic<"numFused", "fused", "producers computed where they are read">,
  ];
}

def FuseSiblingsPass : Pass<"sparsam-fuse-siblings"> {
  let summary = "compute results that read the same operands in one op";
  let description = [{
    The new parameter, momentum and variance of an optimizer are three results over the
    same iterations that read the same tensors, and each other; so are the sums that
    the backward pass of a norm takes over one operand. Such ops become one op with
    several results, which reads each operand once. Two ops are siblings if one of them
    reads, in all of its loops, a tensor that the other reads or makes, their loops
    agree, and nothing that reads the first's result comes before the second.

    ```mlir
    %m1 = linalg.generic {indexing_maps = [#id, #id, #id], ...} ins(%m, %g : ...) ... {
      %0 = arith.addf %a, %b : f32
      ...
    %w1 = linalg.generic {indexing_maps = [#id, #id, #id], ...} ins(%w, %m1 : ...) ... {
      %0 = arith.subf %a, %b : f32
      ...
    ```

    becomes

    ```mlir
    %r:2 = linalg.generic {indexing_maps = [#id, #id, #id, #id, #id], ...}
        ins(%m, %g, %w : ...) outs(...) {
      %0 = arith.addf %a, %b : f32
      %1 = arith.subf %c, %0 : f32
      linalg.yield %0, %1 : f32, f32
    ...
    ```

    This runs behind `sparsam-fuse-elementwise`, which takes results out of memory
    altogether where it can.
  }];
  let options = [
    Option<"maxOperands", "max-operands", "int64_t", /*default=*/"16",
           "tensors that one op reads or makes at most">,
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect"];
  let statistics = [
    Statistic<"numFused", "fused", "ops that became a part of another">,
  ];
}

def SetDestinationsPass : Pass<"sparsam-set-destinations", "::mlir::func::FuncOp"> {
  let summary = "give every result its own buffer, and updates that of their argument";
  let description = [{
    Decides on tensors where each result will be, so that bufferization copies nothing:

    - a product that adds to zeros overwrites its destination instead: it gets the
      attribute `sparsam.overwrite` and an undefined destination;
    - every other op gets a destination of its own, undefined or filled;
    - the result that updates an argument (`sparsam.updates`) is computed in the
      argument itself, if the op that computes it reads the argument at the same indices
      or not at all. The payload then reads the old value from the destination. The
      update moves behind all readers of the old value if nothing but the return waits
      for it.

    CSE must not run between this pass and bufferization: it merges destinations.

    ```mlir
    func.func @step(%w: tensor<8xf32> {sparsam.updates = 0 : i64}, %g: tensor<8xf32>)
        -> tensor<8xf32> {
      %0 = tensor.empty() : tensor<8xf32>
      %1 = linalg.generic {indexing_maps = [#id, #id, #id], ...}
          ins(%w, %g : tensor<8xf32>, tensor<8xf32>) outs(%0 : tensor<8xf32>) {
      ^bb0(%a: f32, %b: f32, %out: f32):
        %2 = arith.subf %a, %b : f32
        linalg.yield %2 : f32
      } -> tensor<8xf32>
      return %1 : tensor<8xf32>
    }
    ```

    becomes

    ```mlir
      %1 = linalg.generic {indexing_maps = [#id, #id], ...}
          ins(%g : tensor<8xf32>) outs(%w : tensor<8xf32>) {
      ^bb0(%b: f32, %out: f32):
        %2 = arith.subf %out, %b : f32
        linalg.yield %2 : f32
      } -> tensor<8xf32>
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect",
  ];
  let statistics = [
    Statistic<"numDonated", "donated", "updates computed in their argument">,
    Statistic<"numMissed", "missed", "updates computed elsewhere">,
  ];
}

//===----------------------------------------------------------------------===//
// CPU, on memrefs
//===----------------------------------------------------------------------===//

def LowerSparseProductsPass
    : Pass<"sparsam-lower-sparse-products", "::mlir::ModuleOp"> {
  let summary = "replace spmm and sddmm on memrefs by calls of generated kernels";
  let description = [{
    Structured products are as fast as their register tiling, so each structure
    builds its own kernels for the target's vectors (`CpuKernelInterface`, an
    external model of the structure). Products of one structure, shape and kind
    share one private function. Operands are packed into panels of a few tokens
    first; the buffers are `memref.alloc`s around the calls, so that the memory plan
    sees them.

    ```mlir
    sparsam.spmm %x, %values, %indices into %y {structure = #sparsam.nm<2:8, vector = 8>}
        : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>,
           memref<64x32xf32>) -> ()
    ```
    becomes
    ```mlir
    %panels = memref.alloc() {alignment = 64 : i64} : memref<2x4112xf32>
    call @sparsam_pack_32(%x, %panels) : (memref<64x128xf32>, memref<2x4112xf32>) -> ()
    call @sparsam_spmm_nm_2_8_32(%panels, %values, %indices, %y) : (...) -> ()
    ```

    A structure without kernels is an error. An operand whose layout is not the
    identity goes through a copy, with a remark.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"0",
           "bits of a vector register; 0 for this machine's">,
  ];
  let statistics = [
    Statistic<"numProducts", "products", "Number of products lowered">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif // SPARSAM_CONVERSION_PASSES
