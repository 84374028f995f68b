// RUN: sparsam-opt %s -sparsam-lower-storage -split-input-file | FileCheck %s
// RUN: sparsam-opt %s -sparsam-propagate -split-input-file | FileCheck %s --check-prefix=RULES

// The base is the parameter, U is random and V is zero.
// CHECK-LABEL: func @factorize
// CHECK-SAME:    (%[[W:.+]]: tensor<16x8xf64>)
// CHECK:         %[[SEED:.+]] = arith.constant 7 : i64
// CHECK:         call @sparsam_gaussian_f64(%{{.+}}, %{{.+}}, %[[SEED]])
// CHECK:         %[[U:.+]] = bufferization.to_tensor {{.*}} to tensor<16x2xf64>
// CHECK:         %[[V:.+]] = linalg.fill {{.*}} -> tensor<2x8xf64>
// CHECK:         return %[[W]], %[[U]], %[[V]]
func.func @factorize(%w: tensor<16x8xf64>)
    -> (tensor<16x8xf64>, tensor<16x2xf64>, tensor<2x8xf64>) {
  %0:3 = sparsam.factorize %w {structure = #sparsam.lora<2, seed = 7>}
      : (tensor<16x8xf64>) -> (tensor<16x8xf64>, tensor<16x2xf64>, tensor<2x8xf64>)
  return %0#0, %0#1, %0#2 : tensor<16x8xf64>, tensor<16x2xf64>, tensor<2x8xf64>
}

// -----

// Rule 8: the product is distributed over base and adapter, and the adapter's scale is a
// number in the chain. No tensor of the parameter's size is made.
// RULES-LABEL: func @contract
// RULES-NOT:     tensor<16x8xf32>
// RULES:         sparsam.spmm
// RULES-NOT:     tensor<16x8xf32>
// RULES:         return
func.func @contract(%x: tensor<5x16xf32>, %b: tensor<8x8x1xf32>, %i: tensor<8x8xi16>,
                    %u: tensor<16x2xf32>, %v: tensor<2x8xf32>) -> tensor<5x8xf32> {
  %w = sparsam.densify %b, %i, %u, %v {structure = #sparsam.lora<2, alpha = 6, base = nm<2:4>>}
      : (tensor<8x8x1xf32>, tensor<8x8xi16>, tensor<16x2xf32>, tensor<2x8xf32>) -> tensor<16x8xf32>
  %y = sparsam.einsum "tk,kn->tn"(%x, %w)
      : (tensor<5x16xf32>, tensor<16x8xf32>) -> tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}
