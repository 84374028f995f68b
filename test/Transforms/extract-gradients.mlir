// RUN: sparsam-opt %s --sparsam-extract-gradients | FileCheck %s
// RUN: sparsam-opt %s --sparsam-extract-gradients --sparsam-to-cpu | FileCheck %s --check-prefix=CPU

// The optimizer goes, with the state that it alone reads; the mask, which the model reads,
// stays.

// CHECK-LABEL: func.func @step
//  CHECK-SAME:  (%[[W:.*]]: tensor<16x4xf32> {sparsam.param = "w"}, %[[MASK:.*]]: tensor<16x4xf32> {sparsam.name = "mask"},
//  CHECK-SAME:   %[[X:.*]]: tensor<8x16xf32>, %[[DY:.*]]: tensor<8x4xf32>, %[[B:.*]]: tensor<4xf32> {sparsam.param = "b"})
//  CHECK-SAME:  -> (tensor<16x4xf32> {sparsam.gradient_of = "w"}, tensor<4xf32> {sparsam.gradient_of = "b"})
//       CHECK:   %[[RAW:.*]] = linalg.matmul
//       CHECK:   %[[MASKED:.*]] = arith.mulf %[[RAW]], %[[MASK]]
//       CHECK:   %[[DW:.*]] = arith.mulf %[[MASKED]], %[[W]]
//       CHECK:   %[[DB:.*]] = arith.mulf %[[B]], %[[B]]
//   CHECK-NOT:   sparsam.gradient
//       CHECK:   return %[[DW]], %[[DB]]

// CPU-LABEL: func.func @step
//   CPU-NOT: tensor<
func.func @step(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                %m: tensor<16x4xf32> {sparsam.name = "m/w", sparsam.state_of = "w", sparsam.updates = 1 : i64},
                %mask: tensor<16x4xf32> {sparsam.name = "mask"},
                %x: tensor<8x16xf32>, %dy: tensor<8x4xf32>,
                %b: tensor<4xf32> {sparsam.param = "b", sparsam.updates = 2 : i64})
    -> (tensor<16x4xf32>, tensor<16x4xf32>, tensor<4xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %raw = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %dy : tensor<8x16xf32>, tensor<8x4xf32>) outs(%f : tensor<16x4xf32>) -> tensor<16x4xf32>
  %masked = arith.mulf %raw, %mask : tensor<16x4xf32>
  %dw = arith.mulf %masked, %w : tensor<16x4xf32>
  %g = sparsam.gradient %dw of "w" : tensor<16x4xf32>
  %m1 = arith.addf %m, %g : tensor<16x4xf32>
  %w1 = arith.subf %w, %m1 : tensor<16x4xf32>
  %db = arith.mulf %b, %b : tensor<4xf32>
  %gb = sparsam.gradient %db of "b" : tensor<4xf32>
  %b1 = arith.subf %b, %gb : tensor<4xf32>
  return %w1, %m1, %b1 : tensor<16x4xf32>, tensor<16x4xf32>, tensor<4xf32>
}
