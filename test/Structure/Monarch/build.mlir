// RUN: sparsam-opt %s -sparsam-lower-storage -split-input-file | FileCheck %s
// RUN: sparsam-opt %s -sparsam-propagate -split-input-file | FileCheck %s --check-prefix=RULES

// All blocks are decomposed by one call.
// CHECK-LABEL: func @factorize
// CHECK:         tensor.collapse_shape {{.*}} : tensor<4x2x4x4xf32> into tensor<8x4x4xf32>
// CHECK:         call @sparsam_svd_batch_f32
// CHECK-DAG:     bufferization.to_tensor {{.*}} to tensor<8x4x2xf32>
// CHECK-DAG:     bufferization.to_tensor {{.*}} to tensor<8x2x4xf32>
func.func @factorize(%w: tensor<16x8xf32>) -> (tensor<4x4x2x2xf32>, tensor<2x4x2x4xf32>) {
  %0:2 = sparsam.factorize %w {structure = #sparsam.monarch<[4, 2], rank = 2>}
      : (tensor<16x8xf32>) -> (tensor<4x4x2x2xf32>, tensor<2x4x2x4xf32>)
  return %0#0, %0#1 : tensor<4x4x2x2xf32>, tensor<2x4x2x4xf32>
}

// -----

// Two batched products, and only activations are moved in between.
// RULES-LABEL: func @contract
// RULES-SAME:    %[[R:[^ ]+]]: tensor<4x4x2x2xf32>, %[[L:[^ ]+]]: tensor<2x4x2x4xf32>
// RULES-NOT:     tensor<16x8xf32>
// RULES-NOT:     linalg.transpose ins(%[[L]]
// RULES-NOT:     linalg.transpose ins(%[[R]]
// RULES:         linalg.batch_matmul
// RULES:         return
func.func @contract(%x: tensor<5x16xf32>, %r: tensor<4x4x2x2xf32>, %l: tensor<2x4x2x4xf32>)
    -> tensor<5x8xf32> {
  %w = sparsam.densify %r, %l {structure = #sparsam.monarch<[4, 2], rank = 2>}
      : (tensor<4x4x2x2xf32>, tensor<2x4x2x4xf32>) -> tensor<16x8xf32>
  %y = sparsam.einsum "tk,kn->tn"(%x, %w)
      : (tensor<5x16xf32>, tensor<16x8xf32>) -> tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}
