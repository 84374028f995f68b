// RUN: sparsam-opt %s --sparsam-crop-windows | FileCheck %s

// All is read.

// CHECK-LABEL: func.func @whole(
// CHECK-NOT: tensor.extract_slice
func.func @whole(%x: tensor<2x8x5x5xf32>, %w: tensor<16x8x3x3xf32>,
                 %init: tensor<2x16x2x2xf32>) -> tensor<2x16x2x2xf32> {
  %y = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>,
                                 strides = dense<2> : vector<2xi64>}
      ins(%x, %w : tensor<2x8x5x5xf32>, tensor<16x8x3x3xf32>)
      outs(%init : tensor<2x16x2x2xf32>) -> tensor<2x16x2x2xf32>
  return %y : tensor<2x16x2x2xf32>
}

// What is read is not known.

// CHECK-LABEL: func.func @dynamic(
// CHECK-NOT: tensor.extract_slice
func.func @dynamic(%x: tensor<2x8x?x4xf32>, %w: tensor<16x8x3x3xf32>,
                   %init: tensor<2x16x?x1xf32>) -> tensor<2x16x?x1xf32> {
  %y = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>,
                                 strides = dense<2> : vector<2xi64>}
      ins(%x, %w : tensor<2x8x?x4xf32>, tensor<16x8x3x3xf32>)
      outs(%init : tensor<2x16x?x1xf32>) -> tensor<2x16x?x1xf32>
  return %y : tensor<2x16x?x1xf32>
}

// No sum of loops that count up: an index that is divided, and one that counts down.

// CHECK-LABEL: func.func @other_maps(
// CHECK-NOT: tensor.extract_slice
func.func @other_maps(%x: tensor<4x4xf32>, %init: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i floordiv 2, 3 - j)>,
                                        affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x4xf32>) outs(%init : tensor<4x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}
