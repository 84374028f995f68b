// RUN: sparsam-opt %s --sparsam-find-parameters --sparsam-apply-structure="structures={*=nm<2:4>}" -split-input-file | FileCheck %s

// The view of a filter is that of the convolution: its outputs are the last dimension.
// CHECK-LABEL: func.func @filter(
//  CHECK-SAME:     tensor<3x3x4x6xf32, #sparsam.nm<2:4, in = [0, 1, 2]>>
func.func @filter(%w: tensor<3x3x4x6xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                  %x: tensor<2x9x9x4xf32>, %g: tensor<4x2xf32>, %h: tensor<2x54xf32>)
    -> (tensor<3x3x4x6xf32>, tensor<2x7x7x6xf32>) {
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x7x7x6xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x7x7x6xf32>) -> tensor<2x7x7x6xf32>
  %y = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<2x9x9x4xf32>, tensor<3x3x4x6xf32>)
      outs(%z : tensor<2x7x7x6xf32>) -> tensor<2x7x7x6xf32>
  %ge = tensor.empty() : tensor<4x54xf32>
  %gz = linalg.fill ins(%c : f32) outs(%ge : tensor<4x54xf32>) -> tensor<4x54xf32>
  %gm = linalg.matmul ins(%g, %h : tensor<4x2xf32>, tensor<2x54xf32>) outs(%gz : tensor<4x54xf32>) -> tensor<4x54xf32>
  %gf = tensor.collapse_shape %gm [[0, 1]] : tensor<4x54xf32> into tensor<216xf32>
  %dw = tensor.expand_shape %gf [[0, 1, 2, 3]] output_shape [3, 3, 4, 6] : tensor<216xf32> into tensor<3x3x4x6xf32>
  %w1 = arith.subf %w, %dw : tensor<3x3x4x6xf32>
  return %w1, %y : tensor<3x3x4x6xf32>, tensor<2x7x7x6xf32>
}

// -----

// A true convolution, as in mathematics, reverses its filter first; channels first.
// CHECK-LABEL: func.func @reversed_filter(
//  CHECK-SAME:     tensor<6x4x3xf32, #sparsam.nm<2:4, in = [1, 2]>>
#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
func.func @reversed_filter(%w: tensor<6x4x3xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                           %x: tensor<2x4x9xf32>, %g: tensor<24x2xf32>, %h: tensor<2x3xf32>)
    -> (tensor<6x4x3xf32>, tensor<2x6x7xf32>) {
  %c = arith.constant 0.0 : f32
  %c2 = arith.constant 2 : index
  %re = tensor.empty() : tensor<6x4x3xf32>
  %r = linalg.generic {indexing_maps = [#id3], iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%re : tensor<6x4x3xf32>) {
  ^bb0(%out: f32):
    %0 = linalg.index 0 : index
    %1 = linalg.index 1 : index
    %2 = linalg.index 2 : index
    %3 = arith.subi %c2, %2 : index
    %4 = tensor.extract %w[%0, %1, %3] : tensor<6x4x3xf32>
    linalg.yield %4 : f32
  } -> tensor<6x4x3xf32>
  %e = tensor.empty() : tensor<2x6x7xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x6x7xf32>) -> tensor<2x6x7xf32>
  %y = linalg.conv_1d_ncw_fcw {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%x, %r : tensor<2x4x9xf32>, tensor<6x4x3xf32>)
      outs(%z : tensor<2x6x7xf32>) -> tensor<2x6x7xf32>
  %ge = tensor.empty() : tensor<24x3xf32>
  %gz = linalg.fill ins(%c : f32) outs(%ge : tensor<24x3xf32>) -> tensor<24x3xf32>
  %gm = linalg.matmul ins(%g, %h : tensor<24x2xf32>, tensor<2x3xf32>) outs(%gz : tensor<24x3xf32>) -> tensor<24x3xf32>
  %dw = tensor.expand_shape %gm [[0, 1], [2]] output_shape [6, 4, 3] : tensor<24x3xf32> into tensor<6x4x3xf32>
  %w1 = arith.subf %w, %dw : tensor<6x4x3xf32>
  return %w1, %y : tensor<6x4x3xf32>, tensor<2x6x7xf32>
}
