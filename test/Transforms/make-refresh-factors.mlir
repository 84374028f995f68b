// RUN: sparsam-opt %s --sparsam-make-refresh | FileCheck %s
// RUN: sparsam-opt %s --sparsam-make-refresh --sparsam-to-cpu | FileCheck %s --check-prefix=CPU
// RUN: sparsam-opt %s --sparsam-expand-storage | FileCheck %s --check-prefix=COMPRESS

// The first moment is projected by the factors, the second by their squares. A copy of the
// weights is neither and does not follow.

// CHECK-LABEL: func.func @sum(
//  CHECK-SAME:  %[[U:.*]]: tensor<16x2xf32> {sparsam.param = "w", sparsam.part = "u"}, %[[V:.*]]: tensor<2x4xf32> {sparsam.param = "w", sparsam.part = "v"}) -> (tensor<16x4xf32> {sparsam.param = "w"})
//       CHECK:   sparsam.einsum "kr,rn->kn"(%[[U]], %[[V]])

// CHECK-LABEL: func.func @project(
//  CHECK-SAME:  %[[M:.*]]: tensor<16x4xf32> {sparsam.name = "m", sparsam.state_of = "w"}, %[[S:.*]]: tensor<16x4xf32> {sparsam.name = "s", sparsam.state_of = "w"}, %[[U:.*]]: tensor<16x2xf32> {{.*}}, %[[V:.*]]: tensor<2x4xf32> {sparsam.param = "w", sparsam.part = "v"})
//       CHECK:   %[[MU:.*]] = sparsam.einsum "kn,rn->kr"(%[[M]], %[[V]])
//       CHECK:   %[[MV:.*]] = sparsam.einsum "kn,kr->rn"(%[[M]], %[[U]])
//   CHECK-DAG:   %[[U2:.*]] = linalg.generic {{.*}} ins(%[[U]], %[[U]] :
//   CHECK-DAG:   %[[V2:.*]] = linalg.generic {{.*}} ins(%[[V]], %[[V]] :
//       CHECK:   %[[SU:.*]] = sparsam.einsum "kn,rn->kr"(%[[S]], %[[V2]])
//       CHECK:   %[[SV:.*]] = sparsam.einsum "kn,kr->rn"(%[[S]], %[[U2]])
//       CHECK:   return %[[MU]], %[[MV]], %[[SU]], %[[SV]]

// CHECK-LABEL: func.func @spread(
//  CHECK-SAME:  -> (tensor<16x4xf32> {sparsam.degree = 1 : i64, sparsam.name = "m", sparsam.state_of = "w"}, tensor<16x4xf32> {sparsam.degree = 2 : i64, sparsam.name = "s", sparsam.state_of = "w"})
//       CHECK:   sparsam.einsum "kr,rn->kn"
//       CHECK:   sparsam.einsum "kr,rn->kn"

// CPU-LABEL: func.func @sum
// CPU-LABEL: func.func @project
// CPU-LABEL: func.func @spread

// COMPRESS-LABEL: func.func @compress(
//  COMPRESS-SAME:  %[[W:.*]]: tensor<16x4xf32> {sparsam.param = "w"}, %[[M:.*]]: tensor<16x4xf32> {sparsam.name = "m", {{.*}}}, %[[S:.*]]: tensor<16x4xf32> {sparsam.name = "s", sparsam.state_of = "w"}) ->
//       COMPRESS:   %[[F:.*]]:2 = sparsam.factorize %[[W]]
//       COMPRESS:   sparsam.einsum "kn,rn->kr"(%[[M]], %[[F]]#1)
//       COMPRESS:   sparsam.einsum "kn,kr->rn"(%[[M]], %[[F]]#0)
func.func @step(%w: tensor<16x4xf32, #sparsam.low_rank<2>> {sparsam.param = "w", sparsam.updates = 0 : i64},
                %m: tensor<16x4xf32> {sparsam.name = "m", sparsam.state_of = "w", sparsam.updates = 1 : i64},
                %s: tensor<16x4xf32> {sparsam.name = "s", sparsam.state_of = "w", sparsam.updates = 2 : i64},
                %slow: tensor<16x4xf32> {sparsam.name = "slow", sparsam.state_of = "w", sparsam.updates = 3 : i64},
                %raw: tensor<16x4xf32>, %clip: tensor<f32>)
    -> (tensor<16x4xf32, #sparsam.low_rank<2>>, tensor<16x4xf32>, tensor<16x4xf32>, tensor<16x4xf32>) {
  %half = arith.constant dense<0.5> : tensor<16x4xf32>
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %wd = tensor.cast %w : tensor<16x4xf32, #sparsam.low_rank<2>> to tensor<16x4xf32>
  // Decay joins the gradient, and its norm scales it.
  %decay = arith.mulf %wd, %half : tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %gd = arith.addf %g, %decay : tensor<16x4xf32>
  %gc = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> ()>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%gd, %clip : tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %scale: f32, %out: f32):
    %p = arith.divf %in, %scale : f32
    linalg.yield %p : f32
  } -> tensor<16x4xf32>
  %mh = arith.mulf %m, %half : tensor<16x4xf32>
  %m1 = arith.addf %mh, %gc : tensor<16x4xf32>
  %g2 = arith.mulf %gc, %gc : tensor<16x4xf32>
  %sh = arith.mulf %s, %half : tensor<16x4xf32>
  %s1 = arith.addf %sh, %g2 : tensor<16x4xf32>
  %root = math.sqrt %s1 : tensor<16x4xf32>
  %step = arith.divf %m1, %root : tensor<16x4xf32>
  %w1 = arith.subf %wd, %step : tensor<16x4xf32>
  %w1e = tensor.cast %w1 : tensor<16x4xf32> to tensor<16x4xf32, #sparsam.low_rank<2>>
  %sum = arith.addf %slow, %w1 : tensor<16x4xf32>
  %slow1 = arith.mulf %sum, %half : tensor<16x4xf32>
  return %w1e, %m1, %s1, %slow1 : tensor<16x4xf32, #sparsam.low_rank<2>>, tensor<16x4xf32>, tensor<16x4xf32>, tensor<16x4xf32>
}
