// RUN: sparsam-opt %s --sparsam-crop-windows | FileCheck %s
// RUN: sparsam-opt %s --sparsam-crop-windows --linalg-generalize-named-ops \
// RUN:   --linalg-fold-unit-extent-dims | FileCheck %s --check-prefix=FOLD

// One window of 3 with stride 2 leaves the fourth row and column unread.

// CHECK-LABEL: func.func @convolution(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x8x4x4xf32>
// CHECK: %[[READ:.*]] = tensor.extract_slice %[[X]][0, 0, 0, 0] [2, 8, 3, 3] [1, 1, 1, 1]
// CHECK: linalg.conv_2d_nchw_fchw {{.*}} ins(%[[READ]], %{{.*}} : tensor<2x8x3x3xf32>, tensor<16x8x3x3xf32>)
// With one window upstream makes a plain dimension of the input's, which must fit.
// FOLD-LABEL: func.func @convolution(
// FOLD: linalg.generic {{.*}} ins(%{{.*}} : tensor<2x8x3x3xf32>, tensor<16x8x3x3xf32>)
func.func @convolution(%x: tensor<2x8x4x4xf32>, %w: tensor<16x8x3x3xf32>,
                       %init: tensor<2x16x1x1xf32>) -> tensor<2x16x1x1xf32> {
  %y = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>,
                                 strides = dense<2> : vector<2xi64>}
      ins(%x, %w : tensor<2x8x4x4xf32>, tensor<16x8x3x3xf32>)
      outs(%init : tensor<2x16x1x1xf32>) -> tensor<2x16x1x1xf32>
  return %y : tensor<2x16x1x1xf32>
}

// CHECK-LABEL: func.func @pooling(
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 0, 0] [1, 4, 5, 6] [1, 1, 1, 1]
// CHECK: linalg.pooling_nchw_max {{.*}} tensor<1x4x5x6xf32>
func.func @pooling(%x: tensor<1x4x6x6xf32>, %window: tensor<3x2xf32>,
                   %init: tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32> {
  %y = linalg.pooling_nchw_max {dilations = dense<1> : vector<2xi64>,
                                strides = dense<2> : vector<2xi64>}
      ins(%x, %window : tensor<1x4x6x6xf32>, tensor<3x2xf32>)
      outs(%init : tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32>
  return %y : tensor<1x4x2x3xf32>
}
