// RUN: sparsam-opt %s --sparsam-unfold-convolutions -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @depthwise(
//       CHECK:   linalg.depthwise_conv_1d_nwc_wc
func.func @depthwise(%x: tensor<2x10x4xf32>, %w: tensor<3x4xf32>, %z: tensor<2x8x4xf32>)
    -> tensor<2x8x4xf32> {
  // expected-remark @below {{this convolution is left to loops: it is no matrix product, as it has no rows, no columns or no sums}}
  %y = linalg.depthwise_conv_1d_nwc_wc {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%x, %w : tensor<2x10x4xf32>, tensor<3x4xf32>)
      outs(%z : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %y : tensor<2x8x4xf32>
}

// -----

// Sizes that are not known, elements of two types, and integers are left alone.
// CHECK-LABEL: func @others(
//       CHECK:   linalg.conv_1d_nwc_wcf
//       CHECK:   linalg.conv_1d_nwc_wcf
//       CHECK:   linalg.conv_1d_nwc_wcf
func.func @others(%x: tensor<?x10x4xf32>, %w: tensor<3x4x6xf32>, %z: tensor<?x8x6xf32>,
                  %xb: tensor<2x10x4xbf16>, %wb: tensor<3x4x6xbf16>, %zb: tensor<2x8x6xf32>,
                  %xi: tensor<2x10x4xi32>, %wi: tensor<3x4x6xi32>, %zi: tensor<2x8x6xi32>)
    -> (tensor<?x8x6xf32>, tensor<2x8x6xf32>, tensor<2x8x6xi32>) {
  // expected-remark @below {{this convolution is left to loops: its sizes are not known}}
  %0 = linalg.conv_1d_nwc_wcf {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%x, %w : tensor<?x10x4xf32>, tensor<3x4x6xf32>) outs(%z : tensor<?x8x6xf32>) -> tensor<?x8x6xf32>
  // expected-remark @below {{this convolution is left to loops: its elements are of several types, or integers}}
  %1 = linalg.conv_1d_nwc_wcf {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%xb, %wb : tensor<2x10x4xbf16>, tensor<3x4x6xbf16>) outs(%zb : tensor<2x8x6xf32>) -> tensor<2x8x6xf32>
  // expected-remark @below {{this convolution is left to loops: its elements are of several types, or integers}}
  %2 = linalg.conv_1d_nwc_wcf {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%xi, %wi : tensor<2x10x4xi32>, tensor<3x4x6xi32>) outs(%zi : tensor<2x8x6xi32>) -> tensor<2x8x6xi32>
  return %0, %1, %2 : tensor<?x8x6xf32>, tensor<2x8x6xf32>, tensor<2x8x6xi32>
}
