// RUN: sparsam-opt %s --sparsam-flatten-windows | FileCheck %s

// CHECK: #[[FILTER:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d3)>
// CHECK: #[[WINDOWS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>
// CHECK: #[[OUT:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>

// CHECK-LABEL: func.func @channels_first(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x8x5x5xf32>, %[[W:[a-z0-9]+]]: tensor<16x8x3x3xf32>
// CHECK-DAG: %[[F:.*]] = tensor.collapse_shape %[[W]] {{\[\[}}0], [1, 2, 3]]
// CHECK: %[[FLAT:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<2x8x5x5xf32>)
// CHECK-SAME: tensor<2x72x4xf32>
// CHECK: %[[Y:.*]] = linalg.generic {indexing_maps = [#[[FILTER]], #[[WINDOWS]], #[[OUT]]]
// CHECK-SAME: ins(%[[F]], %[[FLAT]] : tensor<16x72xf32>, tensor<2x72x4xf32>)
// CHECK: tensor.expand_shape
// CHECK-NOT: linalg.conv
func.func @channels_first(%x: tensor<2x8x5x5xf32>, %w: tensor<16x8x3x3xf32>,
                          %init: tensor<2x16x2x2xf32>) -> tensor<2x16x2x2xf32> {
  %y = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>,
                                 strides = dense<2> : vector<2xi64>}
      ins(%x, %w : tensor<2x8x5x5xf32>, tensor<16x8x3x3xf32>)
      outs(%init : tensor<2x16x2x2xf32>) -> tensor<2x16x2x2xf32>
  return %y : tensor<2x16x2x2xf32>
}

// CHECK-LABEL: func.func @channels_last(
// CHECK-NOT: linalg.conv
// CHECK: return
func.func @channels_last(%x: tensor<2x5x5x8xf32>, %w: tensor<3x3x8x16xf32>,
                         %init: tensor<2x3x3x16xf32>) -> tensor<2x3x3x16xf32> {
  %y = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : vector<2xi64>,
                                 strides = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<2x5x5x8xf32>, tensor<3x3x8x16xf32>)
      outs(%init : tensor<2x3x3x16xf32>) -> tensor<2x3x3x16xf32>
  return %y : tensor<2x3x3x16xf32>
}
