// RUN: sparsam-opt %s -sparsam-expand-storage=companions=false | FileCheck %s

// The parameter, its state and their results are gone from what the step computes, and so
// is its gradient; clipping by a norm of both sees zero in its place.
#id = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func @step
// CHECK-SAME:    (%[[W:[^ ]+]]: tensor<4x2xf32> {{.*}}sparsam.part = "dense", sparsam.structure = "frozen"
// CHECK-NOT:     linalg
// CHECK:         return %{{.*}} : tensor<4x2xf32>
func.func @step(%w: tensor<4x2xf32, #sparsam.frozen> {sparsam.param = "w", sparsam.updates = 0 : i64},
                %m: tensor<4x2xf32> {sparsam.state_of = "w", sparsam.updates = 1 : i64},
                %raw: tensor<4x2xf32>)
    -> (tensor<4x2xf32, #sparsam.frozen>, tensor<4x2xf32>, tensor<4x2xf32>) {
  %d = tensor.cast %w : tensor<4x2xf32, #sparsam.frozen> to tensor<4x2xf32>
  %g = sparsam.gradient %raw of "w" : tensor<4x2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %n = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m, %g : tensor<4x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<4x2xf32>
  %u = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d, %n : tensor<4x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.subf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<4x2xf32>
  %t = tensor.cast %u : tensor<4x2xf32> to tensor<4x2xf32, #sparsam.frozen>
  return %t, %n, %d : tensor<4x2xf32, #sparsam.frozen>, tensor<4x2xf32>, tensor<4x2xf32>
}
