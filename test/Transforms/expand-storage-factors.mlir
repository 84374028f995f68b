// Rule 6: the optimizer of a factor structure.
// RUN: sparsam-opt %s --sparsam-expand-storage=companions=false --split-input-file 2>%t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK --input-file=%t.remarks

#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
#lr = #sparsam.low_rank<2>

// A norm over the gradients of two parameters clips both: over all factors.

// CHECK-LABEL: func.func @global_norm
//  CHECK-SAME:  %[[U:.*]]: tensor<16x2xf32> {{{.*}}sparsam.part = "u", {{.*}}sparsam.updates = 0 : i64}, %[[V:.*]]: tensor<2x4xf32> {{{.*}}sparsam.part = "v", {{.*}}sparsam.updates = 1 : i64}, %[[B:.*]]: tensor<16x4xf32> {sparsam.param = "b", sparsam.updates = 2 : i64}
//       CHECK:   %[[GU:.*]] = sparsam.einsum "kn,rn->kr"(%[[RAW:.*]], %[[V]])
//       CHECK:   %[[GV:.*]] = sparsam.einsum "kn,kr->rn"(%[[RAW]], %[[U]])
//       CHECK:   %[[SU:.*]] = linalg.generic {{.*}}"reduction"{{.*}} ins(%[[GU]] : tensor<16x2xf32>)
//       CHECK:   %[[SV:.*]] = linalg.generic {{.*}}"reduction"{{.*}} ins(%[[GV]] : tensor<2x4xf32>) outs(%[[SU]] : tensor<f32>)
//       CHECK:   %[[SB:.*]] = linalg.generic {{.*}}"reduction"{{.*}} ins(%{{.*}} : tensor<16x4xf32>) outs(%[[SV]] : tensor<f32>)
//       CHECK:   %[[NU:.*]] = linalg.generic {{.*}} ins(%[[U]], %[[GU]], %[[SB]] : tensor<16x2xf32>, tensor<16x2xf32>, tensor<f32>)
//       CHECK:   %[[NV:.*]] = linalg.generic {{.*}} ins(%[[V]], %[[GV]], %[[SB]] : tensor<2x4xf32>, tensor<2x4xf32>, tensor<f32>)
//       CHECK:   return %[[NU]], %[[NV]], %{{.*}}
func.func @global_norm(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64},
                       %b: tensor<16x4xf32> {sparsam.param = "b", sparsam.updates = 1 : i64},
                       %rawW: tensor<16x4xf32>, %rawB: tensor<16x4xf32>, %init: tensor<f32>)
    -> (tensor<16x4xf32, #lr>, tensor<16x4xf32>) {
  %wd = tensor.cast %w : tensor<16x4xf32, #lr> to tensor<16x4xf32>
  %gw = sparsam.gradient %rawW of "w" : tensor<16x4xf32>
  %gb = sparsam.gradient %rawB of "b" : tensor<16x4xf32>
  %s0 = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%gw : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %s = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%gb : tensor<16x4xf32>) outs(%s0 : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %nw = linalg.generic {indexing_maps = [#id, #id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%wd, %gw, %s : tensor<16x4xf32>, tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%p: f32, %g: f32, %n: f32, %out: f32):
    %0 = arith.divf %g, %n : f32
    %1 = arith.subf %p, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<16x4xf32>
  %nb = linalg.generic {indexing_maps = [#id, #id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %gb, %s : tensor<16x4xf32>, tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%p: f32, %g: f32, %n: f32, %out: f32):
    %0 = arith.divf %g, %n : f32
    %1 = arith.subf %p, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<16x4xf32>
  %nwe = tensor.cast %nw : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %nwe, %nb : tensor<16x4xf32, #lr>, tensor<16x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
#zero = affine_map<() -> ()>
#lr = #sparsam.low_rank<2>

// Norms of one parameter and its gradient alone, as LAMB has: each factor its own,
// with the scalar work after it. The parameter's norm in a result for the caller (or
// the loss) is that of the einsum.

// REMARK: remark: {{.*}}reduces over w alone and counts as one for each tensor: #sparsam.low_rank<2> does it for each of its factors

// CHECK-LABEL: func.func @norm_for_each_tensor
//  CHECK-SAME:  %[[U:.*]]: tensor<16x2xf32> {{{.*}}}, %[[V:.*]]: tensor<2x4xf32> {{{.*}}}, %[[RAW:.*]]: tensor<16x4xf32>, %[[INIT:.*]]: tensor<f32>)
//       CHECK:   %[[W:.*]] = sparsam.einsum "kr,rn->kn"(%[[U]], %[[V]])
//   CHECK-DAG:   %[[NU:.*]] = linalg.generic {{.*}}"reduction"{{.*}} ins(%[[U]] : tensor<16x2xf32>) outs(%[[INIT]] : tensor<f32>)
//   CHECK-DAG:   %[[NV:.*]] = linalg.generic {{.*}}"reduction"{{.*}} ins(%[[V]] : tensor<2x4xf32>) outs(%[[INIT]] : tensor<f32>)
//       CHECK:   %[[NW:.*]] = linalg.generic {{.*}}"reduction"{{.*}} ins(%[[W]] : tensor<16x4xf32>)
//       CHECK:   %[[RU:.*]] = linalg.generic {{.*}} ins(%[[NU]] : tensor<f32>)
//       CHECK:   %[[RV:.*]] = linalg.generic {{.*}} ins(%[[NV]] : tensor<f32>)
//       CHECK:   linalg.generic {{.*}} ins(%[[U]], %{{.*}}, %[[RU]] : tensor<16x2xf32>
//       CHECK:   linalg.generic {{.*}} ins(%[[V]], %{{.*}}, %[[RV]] : tensor<2x4xf32>
//       CHECK:   return %{{.*}}, %{{.*}}, %[[NW]]
func.func @norm_for_each_tensor(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64},
                         %raw: tensor<16x4xf32>, %init: tensor<f32>) -> (tensor<16x4xf32, #lr>, tensor<f32>) {
  %wd = tensor.cast %w : tensor<16x4xf32, #lr> to tensor<16x4xf32>
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %norm = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%wd : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %metric = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%wd : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %in, %out : f32
    linalg.yield %0 : f32
  } -> tensor<f32>
  %se = tensor.empty() : tensor<f32>
  %root = linalg.generic {indexing_maps = [#zero, #zero], iterator_types = []} ins(%norm : tensor<f32>) outs(%se : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.sqrt %in : f32
    linalg.yield %0 : f32
  } -> tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %n = linalg.generic {indexing_maps = [#id, #id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%wd, %g, %root : tensor<16x4xf32>, tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%p: f32, %d: f32, %t: f32, %out: f32):
    %0 = arith.mulf %d, %t : f32
    %1 = arith.subf %p, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<16x4xf32>
  %ne = tensor.cast %n : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %ne, %metric : tensor<16x4xf32, #lr>, tensor<f32>
}

// -----

#lr = #sparsam.low_rank<2, in = [1]>

// Another view than the default one: the gradient and the einsum are transposed.
// CHECK-LABEL: func.func @view
//       CHECK:   %[[P:.*]] = sparsam.einsum "kr,rn->kn"(%arg0, %arg1) : (tensor<4x2xf32>, tensor<2x16xf32>) -> tensor<4x16xf32>
//       CHECK:   %[[W:.*]] = linalg.generic {{.*}} ins(%[[P]] : tensor<4x16xf32>) outs(%{{.*}} : tensor<16x4xf32>)
//       CHECK:   %[[G:.*]] = linalg.generic {{.*}} ins(%arg2 : tensor<16x4xf32>) outs(%{{.*}} : tensor<4x16xf32>)
//       CHECK:   %[[GU:.*]] = sparsam.einsum "kn,rn->kr"(%[[G]], %arg1)
//       CHECK:   %[[GV:.*]] = sparsam.einsum "kn,kr->rn"(%[[G]], %arg0)
//       CHECK:   return %[[GU]], %[[GV]], %[[W]]
func.func @view(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64}, %raw: tensor<16x4xf32>) -> (tensor<16x4xf32, #lr>, tensor<16x4xf32>) {
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %n = tensor.cast %g : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  %wd = tensor.cast %w : tensor<16x4xf32, #lr> to tensor<16x4xf32>
  return %n, %wd : tensor<16x4xf32, #lr>, tensor<16x4xf32>
}
