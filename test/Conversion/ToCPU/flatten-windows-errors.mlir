// RUN: sparsam-opt %s --sparsam-flatten-windows | FileCheck %s

// Dilated windows, windows of groups of channels, and shapes that are not known stay.

// CHECK-LABEL: func.func @dilated(
// CHECK: linalg.conv_2d_nchw_fchw
func.func @dilated(%x: tensor<2x8x5x5xf32>, %w: tensor<16x8x2x2xf32>,
                   %init: tensor<2x16x3x3xf32>) -> tensor<2x16x3x3xf32> {
  %y = linalg.conv_2d_nchw_fchw {dilations = dense<2> : vector<2xi64>,
                                 strides = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<2x8x5x5xf32>, tensor<16x8x2x2xf32>)
      outs(%init : tensor<2x16x3x3xf32>) -> tensor<2x16x3x3xf32>
  return %y : tensor<2x16x3x3xf32>
}

// CHECK-LABEL: func.func @grouped(
// CHECK: linalg.conv_2d_ngchw_gfchw
func.func @grouped(%x: tensor<2x4x2x5x5xf32>, %w: tensor<4x3x2x3x3xf32>,
                   %init: tensor<2x4x3x3x3xf32>) -> tensor<2x4x3x3x3xf32> {
  %y = linalg.conv_2d_ngchw_gfchw {dilations = dense<1> : vector<2xi64>,
                                   strides = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<2x4x2x5x5xf32>, tensor<4x3x2x3x3xf32>)
      outs(%init : tensor<2x4x3x3x3xf32>) -> tensor<2x4x3x3x3xf32>
  return %y : tensor<2x4x3x3x3xf32>
}

// CHECK-LABEL: func.func @dynamic(
// CHECK: linalg.conv_2d_nchw_fchw
func.func @dynamic(%x: tensor<?x8x5x5xf32>, %w: tensor<16x8x3x3xf32>,
                   %init: tensor<?x16x3x3xf32>) -> tensor<?x16x3x3xf32> {
  %y = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>,
                                 strides = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<?x8x5x5xf32>, tensor<16x8x3x3xf32>)
      outs(%init : tensor<?x16x3x3xf32>) -> tensor<?x16x3x3xf32>
  return %y : tensor<?x16x3x3xf32>
}
