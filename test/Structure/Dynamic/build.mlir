// RUN: sparsam-opt %s -sparsam-expand-storage=companions=false -sparsam-propagate -split-input-file | FileCheck %s

// The product is sparse on what this step selects, its gradient is dense, and the update is
// that of all entries. SR-STE's decay of what is not selected enters the gradient.
#id = affine_map<(d0, d1) -> (d0, d1)>
!w = tensor<16x4xf32, #sparsam.dynamic<nm<2:4>, decay = 0.5>>
// CHECK-LABEL: func.func @step
// CHECK-SAME:    %[[X:[^ ]+]]: tensor<8x16xf32>, %[[W:[^ ]+]]: tensor<16x4xf32>
// CHECK:         %[[I:.+]] = sparsam.select %[[W]] {structure = #sparsam.nm<2:4>}
// CHECK:         %[[V:.+]] = sparsam.restrict %[[W]] on %[[I]]
// CHECK:         sparsam.spmm %[[X]], %[[V]], %[[I]]
// CHECK-NOT:     sparsam.select
// CHECK:         linalg.generic {{.*}} ins(%{{.+}}, %{{.+}} : tensor<8x16xf32>, tensor<8x4xf32>)
// CHECK:         %[[READ:.+]] = sparsam.densify %[[V]], %[[I]]
// CHECK:         ins(%[[W]], %[[READ]] :
// CHECK:           arith.subf
func.func @step(%x: tensor<8x16xf32>, %w: !w {sparsam.param = "w", sparsam.updates = 0 : i64},
                %dy: tensor<8x4xf32>) -> (!w, tensor<8x4xf32>) {
  %d = tensor.cast %w : !w to tensor<16x4xf32>
  %y = sparsam.einsum "tk,kn->tn"(%x, %d) : (tensor<8x16xf32>, tensor<16x4xf32>) -> tensor<8x4xf32>
  %raw = sparsam.einsum "tk,tn->kn"(%x, %dy) : (tensor<8x16xf32>, tensor<8x4xf32>) -> tensor<16x4xf32>
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %u = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d, %g : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.subf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %t = tensor.cast %u : tensor<16x4xf32> to !w
  return %t, %y : !w, tensor<8x4xf32>
}
