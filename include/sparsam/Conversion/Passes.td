#ifndef SPARSAM_CONVERSION_PASSES
#define SPARSAM_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

// Passes of one target each; a target's pipeline is in Pipelines.

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
