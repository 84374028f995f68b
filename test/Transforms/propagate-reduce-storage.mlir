// Rule 3: full reductions run on storage, with the dense count.
// RUN: sparsam-opt %s --sparsam-propagate --split-input-file | FileCheck %s

#nm = #sparsam.nm<2:4>
#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>

// What is zero off the pattern adds nothing to a sum.
// CHECK-LABEL: func.func @sum_of_squares
//  CHECK-SAME: (%[[V:.*]]: tensor<4x8x1xf32>, %[[I:.*]]: tensor<4x8xi16>, %[[INIT:.*]]: tensor<f32>)
//   CHECK-NOT:   sparsam
//       CHECK:   %[[SQ:.*]] = linalg.generic {{.*}} ins(%[[V]] : tensor<4x8x1xf32>)
//       CHECK:   %[[SUM:.*]] = linalg.generic {{.*}}iterator_types = ["reduction", "reduction", "reduction"]{{.*}} ins(%[[SQ]] : tensor<4x8x1xf32>) outs(%[[INIT]] : tensor<f32>)
//       CHECK:   return %[[SUM]]
func.func @sum_of_squares(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>, %init: tensor<f32>) -> tensor<f32> {
  %w = sparsam.densify %v, %i {structure = #nm} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%x : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    linalg.yield %0 : f32
  } -> tensor<f32>
  return %s : tensor<f32>
}

// -----

#nm = #sparsam.nm<2:4>
#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>

// exp(0) = 1 for each of the 64 - 32 elements that are not stored.
// CHECK-LABEL: func.func @sum_of_exponentials
//   CHECK-DAG:   %[[ONE:.*]] = arith.constant dense<1.000000e+00> : tensor<f32>
//   CHECK-DAG:   %[[COUNT:.*]] = arith.constant 3.200000e+01 : f32
//   CHECK-NOT:   sparsam
//       CHECK:   %[[SUM:.*]] = linalg.generic {{.*}}iterator_types = ["reduction", "reduction", "reduction"]
//       CHECK:   %[[REST:.*]] = linalg.generic
//       CHECK:     arith.mulf %{{.*}}, %[[COUNT]]
//       CHECK:   %[[ALL:.*]] = linalg.generic {{.*}} ins(%[[SUM]], %[[REST]] : tensor<f32>, tensor<f32>)
//       CHECK:     arith.addf
//       CHECK:   return %[[ALL]]
func.func @sum_of_exponentials(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>, %init: tensor<f32>) -> tensor<f32> {
  %w = sparsam.densify %v, %i {structure = #nm} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%w : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.exp %in : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  return %s : tensor<f32>
}

// -----

#nm = #sparsam.nm<2:4>
#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>

// f(0) is a scalar that is known only at run time; a maximum meets it once.
// CHECK-LABEL: func.func @maximum
//  CHECK-SAME: (%[[V:.*]]: tensor<4x8x1xf32>, %{{.*}}: tensor<4x8xi16>, %[[S:.*]]: tensor<f32>, %[[INIT:.*]]: tensor<f32>)
//   CHECK-NOT:   sparsam
//   CHECK-DAG:   %[[X:.*]] = linalg.generic {{.*}} ins(%[[V]], %[[S]] : tensor<4x8x1xf32>, tensor<f32>)
//   CHECK-DAG:   %[[X0:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[S]] : tensor<f32>, tensor<f32>)
//       CHECK:   %[[M:.*]] = linalg.generic {{.*}}"reduction", "reduction", "reduction"{{.*}} ins(%[[X]] :
//       CHECK:   linalg.generic {{.*}} ins(%[[M]], %{{.*}} : tensor<f32>, tensor<f32>)
//       CHECK:   arith.maximumf
//       CHECK:   return
func.func @maximum(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>, %s: tensor<f32>, %init: tensor<f32>) -> tensor<f32> {
  %w = sparsam.densify %v, %i {structure = #nm} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %x = linalg.generic {indexing_maps = [#id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w, %s : tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %0 = arith.addf %in, %t : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %m = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%x : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %in, %out : f32
    linalg.yield %0 : f32
  } -> tensor<f32>
  return %m : tensor<f32>
}

// -----

#nm = #sparsam.nm<2:4>
#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
#rows = affine_map<(d0, d1) -> (d0)>

// Refused: unstored elements that differ, a product, and a reduction by rows.
// CHECK-LABEL: func.func @refused
// CHECK-COUNT-3: linalg.generic {{.*}} ins({{.*}} : tensor<16x4xf32>
func.func @refused(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>, %d: tensor<16x4xf32>, %init: tensor<f32>, %inits: tensor<16xf32>) -> (tensor<f32>, tensor<f32>, tensor<16xf32>) {
  %w = sparsam.densify %v, %i {structure = #nm} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %a = linalg.generic {indexing_maps = [#id, #id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%w, %d : tensor<16x4xf32>, tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %0 = arith.addf %in, %t : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %b = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%w : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %out, %in : f32
    linalg.yield %0 : f32
  } -> tensor<f32>
  %c = linalg.generic {indexing_maps = [#id, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%w : tensor<16x4xf32>) outs(%inits : tensor<16xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    linalg.yield %0 : f32
  } -> tensor<16xf32>
  return %a, %b, %c : tensor<f32>, tensor<f32>, tensor<16xf32>
}
