#ifndef SPARSAM_CONVERSION_TOCPU_PRODUCTPASSES
#define SPARSAM_CONVERSION_TOCPU_PRODUCTPASSES

include "mlir/Pass/PassBase.td"

// On memrefs: products become calls of kernels and of BLAS.

def LowerSparseProductsPass
    : Pass<"sparsam-lower-sparse-products", "::mlir::ModuleOp"> {
  let summary = "replace spmm and sddmm on memrefs by calls of generated kernels";
  let description = [{
    Structured products are as fast as their register tiling, so each structure
    builds its own kernels for the target's vectors (`CpuKernelInterface`, an
    external model of the structure). Products of one structure, shape and kind
    share one private function. Operands are packed into panels of a few tokens
    first; the buffers are `memref.alloc`s around the calls, so that the memory plan
    sees them. Products share the panels of an operand that nothing writes in between:
    those of x serve the forward product and the gradient, those of dy both backward
    products. Only where registers are few and blocks are whole pairs of vectors does
    the forward product read x as it is.

    ```mlir
    sparsam.spmm %x, %values, %indices into %y {structure = #sparsam.nm<2:8, vector = 8>}
        : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>,
           memref<64x32xf32>) -> ()
    ```
    becomes
    ```mlir
    %panels = memref.alloc() {alignment = 64 : i64} : memref<4x2128xf32>
    call @sparsam_pack_16(%x, %panels) : (memref<64x128xf32>, memref<4x2128xf32>) -> ()
    call @sparsam_spmm_nm_2_8_16(%panels, %values, %indices, %y) : (...) -> ()
    ```

    Element-wise work that follows a product, such as a bias and an activation, is done by
    the kernel on what it has in registers; the result itself goes to memory only if
    something else reads it.

    ```mlir
    sparsam.spmm %x, %values, %indices into %y {structure = #sparsam.nm<2:8, vector = 8>}
        : (...) -> ()
    linalg.generic {indexing_maps = [affine_map<(t, f) -> (t, f)>, affine_map<(t, f) -> (f)>,
                                     affine_map<(t, f) -> (t, f)>],
                    iterator_types = ["parallel", "parallel"]}
        ins(%y, %bias : memref<64x32xf32>, memref<32xf32>) outs(%z : memref<64x32xf32>) {...}
    ```
    becomes
    ```mlir
    call @sparsam_spmm_nm_2_8_16_epilogue(%panels, %values, %indices, %bias, %z) : (...) -> ()
    ```

    The op may read, beside the product, what has an element for each of the product's, for
    each feature, for each token, or for all of them; nothing that it needs may be made
    between the two. One that could be in front of the product but has another form stays,
    with a remark. `fuse-epilogues=false` leaves them all.

    Vectors are as wide as those of the CPU that the module is for. One that the option
    `cpu` names stays with the module as `sparsam.cpu`, so that machine code is made for
    the same. The caches, which are this machine's unless options say otherwise, tell
    how many inputs a kernel goes through at once.

    Threads take panels of tokens, and for gradients outputs. Few panels are cut once
    more, along outputs or ranges of inputs. Outputs that keep different numbers of inputs
    are cut into shares of about equal work, whose starts are found in the pattern
    by binary search. All of it is fixed by shapes and pattern: a result does not depend on
    the number of threads.

    A structure without kernels is an error. A row-major operand inside a larger buffer,
    such as a layer of a stacked parameter, is taken where it is; one in any other layout
    goes through a copy, with a remark.

    How a kernel is cut is the model's of the target, or what `sparsam.tiles` on the
    product says. Products that have no such attribute take their sizes from the file
    that the option `tiles` names, where they were measured on this CPU with this number of
    threads; those that are not in it, or whose sizes there do not suit the kernel, are
    remarked on and have the model's. Nothing is read without the option. Sizes of the
    attribute that do not suit are an error.

    What a kernel adds up is on a thread's stack, in about 1 MiB at most. Blocks of more
    outputs than have room there are taken as several that keep the same inputs, and groups
    of more inputs are torn apart.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"0",
           "bits of a vector register; 0 for the CPU's">,
    Option<"l1Bytes", "l1-bytes", "int64_t", /*default=*/"0",
           "bytes of the first-level data cache of a core; 0 for the CPU's">,
    Option<"l2Bytes", "l2-bytes", "int64_t", /*default=*/"0",
           "bytes of the second-level cache of a core; 0 for the CPU's">,
    Option<"cpu", "cpu", "std::string", /*default=*/"\"\"",
           "the CPU that the module is for, as clang's -mcpu takes it, or host; by default "
           "the one that its `sparsam.cpu` names, or else this machine's">,
    Option<"tiles", "tiles", "std::string", /*default=*/"\"\"",
           "a file of measured tile sizes; none by default">,
    Option<"threads", "threads", "int64_t", /*default=*/"0",
           "how many threads the sizes were measured with; 0 for one a core">,
    Option<"fuseEpilogues", "fuse-epilogues", "bool", /*default=*/"true",
           "let kernels do the element-wise work that follows their product">,
  ];
  let statistics = [
    Statistic<"numTiled", "tiled", "Number of products whose tile sizes were measured">,
    Statistic<"numProducts", "products", "Number of products lowered">,
    Statistic<"numEpilogues", "epilogues", "Number of element-wise ops that kernels do">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def LowerDenseProductsPass : Pass<"sparsam-lower-dense-products", "::mlir::ModuleOp"> {
  let summary = "turn dense contractions into calls of the runtime's matrix product";
  let description = [{
    BLAS is near the machine's peak. Every contraction on memrefs of f32 or f64 becomes
    one call of `sparsam_gemm_f32` or `sparsam_gemm_f64`, which splits the product over
    the threads. Loops whose strides allow it run as one dimension; what is left are at
    most one M, N and K and two batch dimensions; transposes and slices are strides, so
    nothing is copied. `sparsam.overwrite` on the contraction says that the
    destination's old contents do not count. Where the strides fit no call, operands are
    copied into an order that does, with a remark.

    A product of f16 or bf16 is computed in f32 on copies of its operands and rounded
    once, when it is done, as frameworks do; narrower operands of an f32 or f64 product
    are copied likewise. A remark says so.

    Element-wise work behind a product stays a pass over memory of its own, into which all
    of it is fused: BLAS returns its result in memory. Of a small product that is still in
    a cache; of a large one reading it again costs little beside computing it.

    Any other sum of products (of integers, of functions of the operands) is left to
    `sparsam-generics-to-loops`, from zero where it had `sparsam.overwrite`, and with a
    remark where it is a product of matrices.

    ```mlir
    linalg.matmul {sparsam.overwrite}
        ins(%a, %b : memref<8x16xf32>, memref<16x4xf32>) outs(%c : memref<8x4xf32>)
    ```
    becomes a call with the sizes (8, 4, 16), leading dimensions (16, 4, 4), transposes,
    two batch sizes, six batch strides and whether to accumulate:
    ```mlir
    call @sparsam_gemm_f32(%pa, %pb, %pc, %c8, %c4, %c16, ...)
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"calls", "calls", "Number of contractions that became calls">,
    Statistic<"packed", "packed", "Number of contractions whose operands are copied">,
  ];
}

#endif // SPARSAM_CONVERSION_TOCPU_PRODUCTPASSES
