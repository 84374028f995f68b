// RUN: sparsam-opt %s -sparsam-expand-storage=companions=false -sparsam-propagate | FileCheck %s

// The soft threshold of stacked layers: shares are found a layer at a time, and each layer
// has a scale of its own, in what is read and in the gradient.
#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
!w = tensor<3x16x4xf32, #sparsam.dynamic<nm<2:4>, soft = true, stack = [0]>>
// CHECK-DAG:   #[[LAYER:.+]] = affine_map<(d0, d1, d2, d3) -> (d0)>
// CHECK-DAG:   #[[OF_DENSE:.+]] = affine_map<(d0, d1, d2) -> (d0)>
// CHECK-LABEL: func.func @step
// CHECK-SAME:    %[[W:[^ ]+]]: tensor<3x16x4xf32>
// CHECK-SAME:    %[[SCALE:[^ ]+]]: tensor<3xf32>
// CHECK:         %[[I:.+]] = sparsam.select %[[W]] {structure = #sparsam.nm<2:4, stack = [0]>}
// CHECK:         %[[V:.+]] = sparsam.restrict %[[W]] on %[[I]]
// CHECK:         %[[SHARES:.+]] = scf.for
// CHECK:           tensor.extract_slice %[[W]]
// CHECK:         arith.mulf
// CHECK:         indexing_maps = [#{{.+}}, #[[LAYER]], #{{.+}}]
// CHECK-SAME:      %[[SCALE]]
// CHECK:         sparsam.spmm
// CHECK:         indexing_maps = [#{{.+}}, #[[OF_DENSE]], #{{.+}}]
// CHECK-SAME:      %[[SCALE]]
func.func @step(%x: tensor<3x8x16xf32>, %w: !w {sparsam.param = "w", sparsam.updates = 0 : i64},
                %dy: tensor<3x8x4xf32>) -> (!w, tensor<3x8x4xf32>) {
  %d = tensor.cast %w : !w to tensor<3x16x4xf32>
  %y = sparsam.einsum "ltk,lkn->ltn"(%x, %d) : (tensor<3x8x16xf32>, tensor<3x16x4xf32>) -> tensor<3x8x4xf32>
  %raw = sparsam.einsum "ltk,ltn->lkn"(%x, %dy) : (tensor<3x8x16xf32>, tensor<3x8x4xf32>) -> tensor<3x16x4xf32>
  %g = sparsam.gradient %raw of "w" : tensor<3x16x4xf32>
  %e = tensor.empty() : tensor<3x16x4xf32>
  %u = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%d, %g : tensor<3x16x4xf32>, tensor<3x16x4xf32>) outs(%e : tensor<3x16x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.subf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<3x16x4xf32>
  %t = tensor.cast %u : tensor<3x16x4xf32> to !w
  return %t, %y : !w, tensor<3x8x4xf32>
}
