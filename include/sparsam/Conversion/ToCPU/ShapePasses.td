#ifndef SPARSAM_CONVERSION_TOCPU_SHAPEPASSES
#define SPARSAM_CONVERSION_TOCPU_SHAPEPASSES

include "mlir/Pass/PassBase.td"

// On tensors: what only moves elements around products.

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

#endif // SPARSAM_CONVERSION_TOCPU_SHAPEPASSES
