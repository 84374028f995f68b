// RUN: sparsam-opt %s -sparsam-lower-storage -split-input-file | FileCheck %s
// RUN: sparsam-opt %s -sparsam-propagate -split-input-file | FileCheck %s --check-prefix=RULES

// Each core but the last is the orthogonal part of what is left of the parameter.
// CHECK-LABEL: func @factorize
// CHECK:         linalg.generic {{.*}} ins(%{{.*}} : tensor<2x2x4x2x2x2xf32>) outs(%{{.*}} : tensor<2x2x2x2x4x2xf32>)
// CHECK:         tensor.collapse_shape {{.*}} into tensor<4x32xf32>
// CHECK:         call @sparsam_svd_right_f32
// CHECK:         tensor<12x8xf32>
// CHECK:         call @sparsam_svd_right_f32
// CHECK-COUNT-3: math.log
// CHECK:         math.exp
func.func @factorize(%w: tensor<16x8xf32>)
    -> (tensor<2x2x3xf32>, tensor<3x2x2x4xf32>, tensor<4x4x2xf32>) {
  %0:3 = sparsam.factorize %w {structure = #sparsam.tensor_train<[2, 2, 4], [2, 2, 2], ranks = [3, 4]>}
      : (tensor<16x8xf32>) -> (tensor<2x2x3xf32>, tensor<3x2x2x4xf32>, tensor<4x4x2xf32>)
  return %0#0, %0#1, %0#2 : tensor<2x2x3xf32>, tensor<3x2x2x4xf32>, tensor<4x4x2xf32>
}

// -----

// RULES-LABEL: func @contract
// RULES-NOT:     tensor<16x8xf32>
// RULES:         return
func.func @contract(%x: tensor<2x16xf32>, %a: tensor<4x2x2xf32>, %b: tensor<2x4x4xf32>)
    -> tensor<2x8xf32> {
  %w = sparsam.densify %a, %b {structure = #sparsam.tensor_train<[4, 4], [2, 4], ranks = [2]>}
      : (tensor<4x2x2xf32>, tensor<2x4x4xf32>) -> tensor<16x8xf32>
  %y = sparsam.einsum "tk,kn->tn"(%x, %w)
      : (tensor<2x16xf32>, tensor<16x8xf32>) -> tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}
