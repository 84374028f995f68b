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

// The backward pass goes on from the gradient, as that of a normalization does from its
// bias's. What trains nothing has no update that this would stand in the way of.
#row = affine_map<(d0, d1) -> (0, d1)>
// CHECK-LABEL: func @bias
// CHECK-SAME:    (%{{[^ ]+}}: tensor<1x4xf32> {{{[^}]*}}sparsam.part = "dense"{{[^}]*}}}, %[[RAW:[^ ]+]]: tensor<4xf32>
// CHECK:         %[[ROW:.*]] = tensor.expand_shape %[[RAW]]
// CHECK:         %[[DX:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[ROW]] :
// CHECK:         return %[[DX]] : tensor<5x4xf32>
func.func @bias(%b: tensor<4xf32, #sparsam.frozen> {sparsam.param = "b", sparsam.updates = 0 : i64},
                %raw: tensor<4xf32>, %dy: tensor<5x4xf32>)
    -> (tensor<4xf32, #sparsam.frozen>, tensor<5x4xf32>) {
  %d = tensor.cast %b : tensor<4xf32, #sparsam.frozen> to tensor<4xf32>
  %g = sparsam.gradient %raw of "b" : tensor<4xf32>
  %row = tensor.expand_shape %g [[0, 1]] output_shape [1, 4] : tensor<4xf32> into tensor<1x4xf32>
  %e = tensor.empty() : tensor<5x4xf32>
  %dx = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%dy, %row : tensor<5x4xf32>, tensor<1x4xf32>) outs(%e : tensor<5x4xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %0 = arith.subf %p, %q : f32
    linalg.yield %0 : f32
  } -> tensor<5x4xf32>
  %u = linalg.sub ins(%d, %g : tensor<4xf32>, tensor<4xf32>) outs(%d : tensor<4xf32>) -> tensor<4xf32>
  %t = tensor.cast %u : tensor<4xf32> to tensor<4xf32, #sparsam.frozen>
  return %t, %dx : tensor<4xf32, #sparsam.frozen>, tensor<5x4xf32>
}

// Neither a gradient nor an elementwise optimizer is missed.
// CHECK-LABEL: func @kept
// CHECK-NOT:     linalg
// CHECK:         return
func.func @kept(%a: tensor<4x4xf32, #sparsam.frozen> {sparsam.param = "a", sparsam.updates = 0 : i64},
                %b: tensor<4x4xf32, #sparsam.frozen> {sparsam.param = "b", sparsam.updates = 1 : i64, sparsam.not_elementwise},
                %raw: tensor<4x4xf32>)
    -> (tensor<4x4xf32, #sparsam.frozen>, tensor<4x4xf32, #sparsam.frozen>) {
  %g = sparsam.gradient %raw of "b" : tensor<4x4xf32>
  %e = arith.constant dense<0.0> : tensor<4x4xf32>
  %o = linalg.matmul ins(%g, %g : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %n = tensor.cast %o : tensor<4x4xf32> to tensor<4x4xf32, #sparsam.frozen>
  return %a, %n : tensor<4x4xf32, #sparsam.frozen>, tensor<4x4xf32, #sparsam.frozen>
}
