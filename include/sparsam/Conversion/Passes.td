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
    it splits; the reshapes meet and cancel. Reshapes that add or drop unit dimensions
    stay; `linalg-fold-unit-extent-dims` should run before.

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

def CropWindowsPass : Pass<"sparsam-crop-windows"> {
  let summary = "cut off what no window of a convolution or pooling reads";
  let description = [{
    The input of a named convolution or pooling may be longer than its windows reach: with a
    stride, entries at the end may be left over. `linalg-fold-unit-extent-dims` makes a plain
    dimension of such an input where there is one window, and a plain dimension must fit. So
    what is not read is cut off first.

    ```mlir
    %y = linalg.conv_2d_nchw_fchw {strides = dense<2> : vector<2xi64>, ...}
        ins(%x, %w : tensor<2x8x4x4xf32>, tensor<16x8x3x3xf32>)
        outs(%z : tensor<2x16x1x1xf32>) -> tensor<2x16x1x1xf32>
    ```

    becomes

    ```mlir
    %0 = tensor.extract_slice %x[0, 0, 0, 0] [2, 8, 3, 3] [1, 1, 1, 1]
        : tensor<2x8x4x4xf32> to tensor<2x8x3x3xf32>
    %y = linalg.conv_2d_nchw_fchw {strides = dense<2> : vector<2xi64>, ...}
        ins(%0, %w : tensor<2x8x3x3xf32>, tensor<16x8x3x3xf32>)
        outs(%z : tensor<2x16x1x1xf32>) -> tensor<2x16x1x1xf32>
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numOperands", "operands", "operands cut off">,
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
      attribute `sparsam.overwrite` and an undefined destination. From here on only
      `sparsam-lower-dense-products` knows what that op means;
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
    threads; those that are not in it are remarked on. Nothing is read without the option.
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

def MarkWritablePass : Pass<"sparsam-mark-writable", "::mlir::ModuleOp"> {
  let summary = "say which arguments bufferization may write into";
  let description = [{
    One-shot bufferization takes every tensor argument for its own to overwrite. Here
    the caller keeps its inputs: only arguments that a result updates
    (`sparsam.updates`) may be written, because their old values are given up.

    ```mlir
    func.func @step(%w: tensor<4xf32> {sparsam.updates = 0 : i64}, %x: tensor<4xf32>)
        -> tensor<4xf32>
    ```
    becomes
    ```mlir
    func.func @step(
        %w: tensor<4xf32> {bufferization.writable = true, sparsam.updates = 0 : i64},
        %x: tensor<4xf32> {bufferization.writable = false}) -> tensor<4xf32>
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def CarryInPlacePass : Pass<"sparsam-carry-in-place", "::mlir::func::FuncOp"> {
  let summary = "keep each tensor that a loop carries in one buffer";
  let description = [{
    One-shot bufferization refuses a loop that yields a tensor in another buffer than
    the one it came in, such as `lax.scan`'s or the rounds of a random generator. Here
    each new value is written over the old one; what is carried on under another name is
    copied first.

    ```mlir
    %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y)
        -> (tensor<4xf32>, tensor<4xf32>) {
      scf.yield %b, %a : tensor<4xf32>, tensor<4xf32>
    }
    ```
    becomes
    ```mlir
    %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y)
        -> (tensor<4xf32>, tensor<4xf32>) {
      %0 = bufferization.alloc_tensor() copy(%b) : tensor<4xf32>
      %1 = bufferization.alloc_tensor() copy(%a) : tensor<4xf32>
      %2 = bufferization.materialize_in_destination %0 in %a
          : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      %3 = bufferization.materialize_in_destination %1 in %b
          : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      scf.yield %2, %3 : tensor<4xf32>, tensor<4xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def ResultsToArgumentsPass : Pass<"sparsam-results-to-arguments", "::mlir::ModuleOp"> {
  let summary = "give public functions the calling convention of compiled code";
  let description = [{
    Compiled functions return nothing. A result that updates an argument
    (`sparsam.updates`) is left in that argument; it is copied there, with a remark,
    only where it was computed elsewhere. Any other result k becomes a further argument
    with `sparsam.result = k`, and what computed it writes there.

    ```mlir
    func.func @step(%w: memref<4xf32> {sparsam.updates = 0 : i64})
        -> (memref<4xf32>, memref<f32>) {
      ...
      return %w, %loss : memref<4xf32>, memref<f32>
    ```
    becomes
    ```mlir
    func.func @step(%w: memref<4xf32> {sparsam.updates = 0 : i64},
                    %loss: memref<f32> {sparsam.result = 1 : i64})
        attributes {llvm.emit_c_interface} {
      ...
      return
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"inPlace", "in-place", "Number of results that were in their argument">,
    Statistic<"copied", "copied", "Number of results copied into their argument">,
  ];
}

def UnfoldConvolutionsPass
    : Pass<"sparsam-unfold-convolutions", "::mlir::func::FuncOp"> {
  let summary = "turn convolutions into matrix products of windows";
  let description = [{
    BLAS multiplies matrices. A convolution becomes one in either of two ways:

    * the windows of its input are copied into a tensor (im2col), unless they are the
      input itself as those of 1x1 filters are, and multiplied with the filter. Forward
      and backward to the filter read the same windows, which are then made once;
    * where the input lies in zeros with strides between its elements, as backward of a
      strided convolution, the product is computed of its elements alone, and what falls
      on one place of the result is summed afterwards (col2im).

    A filter that a generic reverses, as backward to the input, is read as it is; the
    windows are reversed instead. Padding becomes a copy into zeros.

    ```mlir
    %y = linalg.conv_1d_nwc_wcf {dilations = dense<1> : vector<1xi64>,
                                 strides = dense<2> : vector<1xi64>}
        ins(%x, %w : tensor<2x9x3xf32>, tensor<3x3x5xf32>)
        outs(%zeros : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
    ```
    becomes
    ```mlir
    %p = linalg.generic {indexing_maps = [(n, i, k, c) -> (n, 2 * i + k, c), identity]}
        ins(%x : tensor<2x9x3xf32>) outs(%e : tensor<2x4x3x3xf32>)   // a copy
    // %p as 8x9 and %w as 9x5
    %m = linalg.matmul ins(%p8x9, %w9x5) outs(%z) -> tensor<8x5xf32>
    ```

    A convolution that has no rows, columns and sums, as a depthwise one, is left to
    loops, with a remark.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numUnfolded", "unfolded", "Number of products of copied windows">,
    Statistic<"numFolded", "folded", "Number of products whose results are folded">,
    Statistic<"numLeft", "left", "Number of convolutions that are left to loops">,
  ];
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

def OutlineKernelsPass : Pass<"sparsam-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "move each computation into a function and share equal ones";
  let description = [{
    A training step repeats the same loops for every layer: of some 430 loop nests of
    a GPT step 80 are distinct. Every linalg operation and structured product on
    memrefs becomes a private function, and equal ones (same operation, shapes and
    strides; offsets are left open) share it, so that LLVM compiles each once.
    Parameters whose memory no other parameter shares get `llvm.noalias`, which spares
    the vectorised loops their run-time checks.

    ```mlir
    linalg.exp ins(%a : memref<64xf32>) outs(%b : memref<64xf32>)
    linalg.exp ins(%c : memref<64xf32>) outs(%d : memref<64xf32>)
    ```
    becomes
    ```mlir
    call @exp_64(%a, %b) : (memref<64xf32>, memref<64xf32>) -> ()
    call @exp_64(%c, %d) : (memref<64xf32>, memref<64xf32>) -> ()
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"outlined", "kernels", "Number of kernels">,
    Statistic<"shared", "shared", "Number of computations that share a kernel">,
  ];
}

def GenericsToLoopsPass : Pass<"sparsam-generics-to-loops", "::mlir::func::FuncOp"> {
  let summary = "lower linalg on memrefs to parallel and vectorisable loops";
  let description = [{
    Adjacent loops that step through memory as one are merged. The dimension along
    which most memory is contiguous runs innermost, where LLVM vectorises it; what is
    large enough runs in an outer `scf.parallel`. Row reductions accumulate in
    registers. Full reductions and long column reductions are cut into a fixed number of
    pieces, whose results are joined in order: results do not depend on the number of
    threads.

    ```mlir
    linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                    iterator_types = ["parallel", "reduction"]}
        ins(%x : memref<2048x512xf32>) outs(%sum : memref<2048xf32>) { ... }
    ```
    becomes
    ```mlir
    scf.parallel (%i) = (%c0) to (%c2048) step (%c1) {
      %0 = memref.load %sum[%i]
      %1 = scf.for %j = %c0 to %c512 step %c1 iter_args(%acc = %0) -> (f32) { ... }
      memref.store %1, %sum[%i]
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
  let statistics = [
    Statistic<"lowered", "lowered", "Number of operations lowered to loops">,
  ];
}

def PlanMemoryPass : Pass<"sparsam-plan-memory", "::mlir::ModuleOp"> {
  let summary = "plan all temporaries into one workspace argument";
  let description = [{
    Allocating at run time costs page faults and locks in every step. Every
    `memref.alloc` of a public function becomes a view of its last argument, marked
    `sparsam.workspace`, whose type says how many bytes it takes. Buffers whose lives
    do not meet share memory; lives are followed through views, loops and calls. What a
    private function allocates becomes a buffer of its callers. Offsets are multiples
    of 64 bytes, and the caller aligns the workspace to as many.

    ```mlir
    func.func @f(%x: memref<64xf32>) {
      %0 = memref.alloc() : memref<64xf32>
      ...
    ```
    becomes
    ```mlir
    func.func @f(%x: memref<64xf32>, %workspace: memref<256xi8> {sparsam.workspace}) {
      %c0 = arith.constant 0 : index
      %0 = memref.view %workspace[%c0][] : memref<256xi8> to memref<64xf32>
      ...
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"plannedBytes", "planned-bytes", "Bytes of the workspaces">,
    Statistic<"unplannedBytes", "unplanned-bytes", "Bytes of all temporaries together">,
  ];
}

def RelaxFloatsPass : Pass<"sparsam-relax-floats"> {
  let summary = "allow floating-point sums to be reordered";
  let description = [{
    Vectorising a sum changes its order. What a linalg op does to the accumulators of its
    reduced loops, and the sum of a vector's lanes, gets the fast-math flag `reassoc`;
    all floating-point operations but conversions get `contract` and `nsz`. What is
    computed for each element keeps its order, and NaN and infinities their meaning:
    1 / x and 1 / sqrt(x) of zero are infinite.

    ```mlir
    linalg.generic {... iterator_types = ["reduction"]} ins(%x, %y) outs(%sum) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %0 = arith.mulf %a, %b : f32
      %1 = arith.addf %s, %0 : f32
      linalg.yield %1 : f32
    }
    ```
    becomes
    ```mlir
    linalg.generic {... iterator_types = ["reduction"]} ins(%x, %y) outs(%sum) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %0 = arith.mulf %a, %b fastmath<nsz,contract> : f32
      %1 = arith.addf %s, %0 fastmath<reassoc,nsz,contract> : f32
      linalg.yield %1 : f32
    }
    ```
  }];
}

def ApproximateMathPass : Pass<"sparsam-approximate-math"> {
  let summary = "replace transcendental functions on f32 by polynomials";
  let description = [{
    A call of libm in a loop keeps LLVM from vectorising it. Upstream's polynomials
    (some units in the last place; see docs/Numerics.md) replace exp, tanh, log, erf and
    the like on f32, and on vectors of it. Functions whose polynomials are worse (sin,
    cos, atan, cbrt) and f64 are left to libm, the root of rsqrt to the machine. Logarithms of subnormal numbers, which the polynomial does not
    know, are those of numbers 2^24 times as large, minus a constant.

    ```mlir
    %0 = math.exp %x : f32
    ```
    becomes a dozen of `math.fma` and bit operations.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def ExpandHalfPass : Pass<"sparsam-expand-half"> {
  let summary = "compute with bf16 as f32 and integers";
  let description = [{
    Few machines round f64 to bf16 or f16, and those without AVX512-BF16 do not round f32
    to bf16 either: LLVM calls a function of the compiler's library for each number, which
    the library may lack. Arithmetic on bf16 becomes arithmetic on f32 of which each
    result is rounded, functions of `math` on bf16 and f16 likewise, and the rounding
    becomes work on integers that vectorises. Every number is rounded once, to nearest
    even: f64 to f32 by rounding to odd (Boldo and Melquiond 2008), after which
    the second rounding is that of the f64. Integers go through f64; those that f64 does
    not hold are the only ones that are rounded twice.

    ```mlir
    %0 = arith.addf %a, %b : bf16
    ```
    becomes
    ```mlir
    %0 = arith.extf %a : bf16 to f32
    %1 = arith.extf %b : bf16 to f32
    %2 = arith.addf %0, %1 : f32
    %3 = arith.truncf %2 : f32 to bf16
    ```
    with the conversions as shifts, and rounding by adding 0x7fff and the last bit that
    stays.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def InlineAllocaScopesPass : Pass<"sparsam-inline-alloca-scopes"> {
  let summary = "remove stack scopes in which nothing is on the stack";
  let description = [{
    `convert-scf-to-openmp` wraps loop bodies in `memref.alloca_scope`, which holds one
    block, so that a loop inside cannot become control flow. A scope that contains no
    `memref.alloca` is inlined.

    ```mlir
    memref.alloca_scope {
      memref.store %v, %m[%i] : memref<8xf32>
    }
    ```
    becomes
    ```mlir
    memref.store %v, %m[%i] : memref<8xf32>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// To LLVM
//===----------------------------------------------------------------------===//

def ListDistinctPointersPass
    : Pass<"sparsam-list-distinct-pointers", "::mlir::func::FuncOp"> {
  let summary = "keep what is known about aliasing over the conversion to LLVM";
  let description = [{
    The conversion of functions on memrefs to LLVM drops `llvm.noalias`. This pass,
    before it, lists the positions that the pointers of such parameters will have;
    `sparsam-restore-noalias`, after it, reads the list.

    ```mlir
    func.func private @f(%a: memref<4xf32> {llvm.noalias}, %b: memref<4xf32> {llvm.noalias})
    ```
    becomes
    ```mlir
    func.func private @f(...) attributes {sparsam.distinct = array<i64: 1, 6>}
    ```
  }];
}

def RestoreNoAliasPass : Pass<"sparsam-restore-noalias", "::mlir::LLVM::LLVMFuncOp"> {
  let summary = "mark the pointers that were distinct before the conversion to LLVM";
  let description = [{
    The other half of `sparsam-list-distinct-pointers`.

    ```mlir
    llvm.func @f(%0: !llvm.ptr, %1: !llvm.ptr) attributes {sparsam.distinct = array<i64: 1>}
    ```
    becomes
    ```mlir
    llvm.func @f(%0: !llvm.ptr, %1: !llvm.ptr {llvm.noalias})
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def IntegersForBF16Pass : Pass<"sparsam-integers-for-bf16"> {
  let summary = "store bf16 as i16";
  let description = [{
    After `sparsam-expand-half` a bf16 is loaded, stored, chosen and passed on, and no more.
    Where a machine has no instruction for the type LLVM would do so in f32, and call a
    function of the compiler's library to get back. So the type becomes i16, with the bits
    of constants. An operation that computes in bf16 is an error.

    ```mlir
    %0 = llvm.load %p : !llvm.ptr -> bf16
    %1 = llvm.select %c, %0, %zero : i1, bf16
    ```
    becomes
    ```mlir
    %0 = llvm.load %p : !llvm.ptr -> i16
    %1 = llvm.select %c, %0, %zero : i1, i16
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def BytesForBooleansPass : Pass<"sparsam-bytes-for-booleans"> {
  let summary = "load and store booleans as bytes";
  let description = [{
    LLVM does not vectorise loops that load or store `i1`. In memory a boolean is a byte
    that is 0 or 1, and here it becomes one in the code as well.

    ```mlir
    %0 = llvm.load %p : !llvm.ptr -> i1
    ```
    becomes
    ```mlir
    %0 = llvm.load %p : !llvm.ptr -> i8
    %1 = llvm.trunc %0 : i8 to i1
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def StripAnnotationsPass : Pass<"sparsam-strip-annotations", "::mlir::func::FuncOp"> {
  let summary = "drop what arguments say to Sparsam's own stages";
  let description = [{
    LLVM knows no `sparsam.*` attributes. The caller reads an argument's role before
    the lowering to LLVM, which begins with this pass.

    ```mlir
    func.func @f(%w: memref<4xf32> {sparsam.updates = 0 : i64})
    ```
    becomes
    ```mlir
    func.func @f(%w: memref<4xf32>)
    ```
  }];
}

//===----------------------------------------------------------------------===//
// sparse_tensor
//===----------------------------------------------------------------------===//

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

#endif // SPARSAM_CONVERSION_PASSES
