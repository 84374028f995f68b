// RUN: sparsam-opt %s --sparsam-make-refresh | FileCheck %s
// RUN: sparsam-opt %s --sparsam-make-refresh --sparsam-to-cpu | FileCheck %s --check-prefix=CPU
// RUN: sparsam-opt %s --sparsam-expand-storage | FileCheck %s --check-prefix=COMPRESS

// State that is found by steps of projecting and spreading is in f32 on the way, whatever
// it is stored as; the factors are what they are. Their squares are not rounded.

// CHECK-LABEL: func.func @sum(
//  CHECK-SAME:  tensor<16x2xbf16> {{.*}}, %{{.*}}: tensor<2x4xbf16> {{.*}}) -> (tensor<16x4xbf16>

// CHECK-LABEL: func.func @project(
//  CHECK-SAME:  %[[M:.*]]: tensor<16x4xf32> {{.*}}, %[[S:.*]]: tensor<16x4xf32> {{.*}}, %[[U:.*]]: tensor<16x2xbf16> {{.*}}, %[[V:.*]]: tensor<2x4xbf16> {{.*}}) ->
//  CHECK-SAME:  (tensor<16x2xf32> {{.*}}, tensor<2x4xf32> {{.*}}, tensor<16x2xf32> {{.*}}, tensor<2x4xf32> {{.*}})
//   CHECK-NOT:   arith.truncf
//       CHECK:   return

// CHECK-LABEL: func.func @spread(
//  CHECK-SAME:  tensor<16x2xf32> {{.*}}, %{{.*}}: tensor<2x4xf32> {{.*}}, %{{.*}}: tensor<16x2xf32> {{.*}}, %{{.*}}: tensor<2x4xf32> {{.*}}, %{{.*}}: tensor<16x2xbf16> {{.*}}, %{{.*}}: tensor<2x4xbf16> {{.*}}) ->
//  CHECK-SAME:  (tensor<16x4xf32> {sparsam.degree = 1 : i64, {{.*}}}, tensor<16x4xf32> {sparsam.degree = 2 : i64, {{.*}}})
//   CHECK-NOT:   arith.truncf
//       CHECK:   return

// CPU-LABEL: func.func @project
// CPU-LABEL: func.func @spread

// The user's dense state is what it is, and becomes what is stored.
// COMPRESS-LABEL: func.func @compress(
//  COMPRESS-SAME:  tensor<16x4xbf16> {sparsam.param = "w"}, %{{.*}}: tensor<16x4xbf16> {sparsam.name = "m", {{.*}}}, %{{.*}}: tensor<16x4xbf16> {sparsam.name = "s", {{.*}}}) -> (tensor<16x2xbf16>
func.func @step(%w: tensor<16x4xbf16, #sparsam.low_rank<2>> {sparsam.param = "w", sparsam.updates = 0 : i64},
                %m: tensor<16x4xbf16> {sparsam.name = "m", sparsam.state_of = "w", sparsam.updates = 1 : i64},
                %s: tensor<16x4xbf16> {sparsam.name = "s", sparsam.state_of = "w", sparsam.updates = 2 : i64},
                %raw: tensor<16x4xbf16>)
    -> (tensor<16x4xbf16, #sparsam.low_rank<2>>, tensor<16x4xbf16>, tensor<16x4xbf16>) {
  %half = arith.constant dense<0.5> : tensor<16x4xbf16>
  %g = sparsam.gradient %raw of "w" : tensor<16x4xbf16>
  %wd = tensor.cast %w : tensor<16x4xbf16, #sparsam.low_rank<2>> to tensor<16x4xbf16>
  %mh = arith.mulf %m, %half : tensor<16x4xbf16>
  %m1 = arith.addf %mh, %g : tensor<16x4xbf16>
  %g2 = arith.mulf %g, %g : tensor<16x4xbf16>
  %sh = arith.mulf %s, %half : tensor<16x4xbf16>
  %s1 = arith.addf %sh, %g2 : tensor<16x4xbf16>
  %root = math.sqrt %s1 : tensor<16x4xbf16>
  %step = arith.divf %m1, %root : tensor<16x4xbf16>
  %w1 = arith.subf %wd, %step : tensor<16x4xbf16>
  %w1e = tensor.cast %w1 : tensor<16x4xbf16> to tensor<16x4xbf16, #sparsam.low_rank<2>>
  return %w1e, %m1, %s1 : tensor<16x4xbf16, #sparsam.low_rank<2>>, tensor<16x4xbf16>, tensor<16x4xbf16>
}
