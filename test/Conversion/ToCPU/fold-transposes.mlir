// RUN: sparsam-opt %s --sparsam-fold-transposes | FileCheck %s

#id2 = affine_map<(d0, d1) -> (d0, d1)>
#t2 = affine_map<(d0, d1) -> (d1, d0)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-DAG: #[[MK:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[NK:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[MN:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[NM:.*]] = affine_map<(d0, d1, d2) -> (d1, d0)>

// CHECK-LABEL: func.func @operand(
// CHECK-SAME: %[[X:[^:]*]]: tensor<8x2xf32>, %[[W:[^:]*]]: tensor<16x2xf32>,
// CHECK-NOT: linalg.generic
// CHECK: linalg.generic {indexing_maps = [#[[MK]], #[[NK]], #[[MN]]]
// CHECK-SAME: ins(%[[X]], %[[W]] :
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @operand(%x: tensor<8x2xf32>, %w: tensor<16x2xf32>, %init: tensor<8x16xf32>)
    -> tensor<8x16xf32> {
  %0 = tensor.empty() : tensor<2x16xf32>
  %t = linalg.generic {indexing_maps = [#t2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<16x2xf32>) outs(%0 : tensor<2x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<2x16xf32>
  %y = linalg.generic {indexing_maps = [#a, #b, #c],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %t : tensor<8x2xf32>, tensor<2x16xf32>) outs(%init : tensor<8x16xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %out, %m : f32
    linalg.yield %s : f32
  } -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// CHECK-LABEL: func.func @result(
// CHECK: %[[FILL:.*]] = linalg.fill {{.*}} -> tensor<16x8xf32>
// CHECK: %[[Y:.*]] = linalg.generic {indexing_maps = [#[[MK]], #{{.*}}, #[[NM]]]
// CHECK-SAME: outs(%[[FILL]] : tensor<16x8xf32>)
// CHECK: return %[[Y]]
func.func @result(%x: tensor<8x2xf32>, %w: tensor<2x16xf32>) -> tensor<16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<8x16xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %y = linalg.generic {indexing_maps = [#a, #b, #c],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<8x2xf32>, tensor<2x16xf32>) outs(%1 : tensor<8x16xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %out, %m : f32
    linalg.yield %s : f32
  } -> tensor<8x16xf32>
  %2 = tensor.empty() : tensor<16x8xf32>
  %t = linalg.generic {indexing_maps = [#t2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<8x16xf32>) outs(%2 : tensor<16x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<16x8xf32>
  return %t : tensor<16x8xf32>
}
