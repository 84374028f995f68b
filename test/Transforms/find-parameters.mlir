// RUN: sparsam-opt %s -split-input-file --sparsam-find-parameters | FileCheck %s
// A second run changes nothing.
// RUN: sparsam-opt %s -split-input-file --sparsam-find-parameters \
// RUN:   | sparsam-opt -split-input-file --sparsam-find-parameters | FileCheck %s

// The gradient is the value of the parameter's own type: behind the transpose of the
// product, in front of the momentum.

// CHECK-LABEL: func.func @momentum(
// CHECK-SAME: %arg0: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}
// CHECK-SAME: %arg1: tensor<16x4xf32> {sparsam.state_of = "w", sparsam.updates = 1 : i64}
// CHECK: linalg.matmul
// CHECK: %[[RAW:.*]] = linalg.transpose
// CHECK-NEXT: %[[G:.*]] = sparsam.gradient %[[RAW]] of "w" : tensor<16x4xf32>
// CHECK: %[[M:.*]] = linalg.add ins(%arg1, %[[G]]
func.func @momentum(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                    %m: tensor<16x4xf32> {sparsam.updates = 1 : i64},
                    %dy: tensor<4x8xf32>, %x: tensor<8x16xf32>)
    -> (tensor<16x4xf32>, tensor<16x4xf32>) {
  %zero = arith.constant dense<0.0> : tensor<4x16xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %dw = linalg.matmul ins(%dy, %x : tensor<4x8xf32>, tensor<8x16xf32>) outs(%zero : tensor<4x16xf32>) -> tensor<4x16xf32>
  %dwt = linalg.transpose ins(%dw : tensor<4x16xf32>) outs(%e : tensor<16x4xf32>) permutation = [1, 0]
  %m1 = linalg.add ins(%m, %dwt : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %w1 = linalg.sub ins(%w, %m1 : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1, %m1 : tensor<16x4xf32>, tensor<16x4xf32>
}

// -----

// Tied weights: a scatter's loop and the transpose of a product are summed first.

// CHECK-LABEL: func.func @tied
// CHECK: %[[ROWS:.*]] = scf.for
// CHECK: %[[SUM:.*]] = linalg.add ins(%{{.*}}, %[[ROWS]]
// CHECK-NEXT: sparsam.gradient %[[SUM]] of "wte"
// CHECK-NOT: sparsam.gradient
func.func @tied(%w: tensor<16x4xf32> {sparsam.param = "wte", sparsam.updates = 0 : i64},
                %dy: tensor<4x8xf32>, %x: tensor<8x16xf32>, %row: tensor<1x4xf32>) -> tensor<16x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant dense<0.0> : tensor<4x16xf32>
  %zerot = arith.constant dense<0.0> : tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %dw = linalg.matmul ins(%dy, %x : tensor<4x8xf32>, tensor<8x16xf32>) outs(%zero : tensor<4x16xf32>) -> tensor<4x16xf32>
  %dwt = linalg.transpose ins(%dw : tensor<4x16xf32>) outs(%e : tensor<16x4xf32>) permutation = [1, 0]
  %rows = scf.for %i = %c0 to %c16 step %c1 iter_args(%d = %zerot) -> tensor<16x4xf32> {
    %next = tensor.insert_slice %row into %d[%i, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<16x4xf32>
    scf.yield %next : tensor<16x4xf32>
  }
  %g = linalg.add ins(%dwt, %rows : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %w1 = linalg.sub ins(%w, %g : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// The decay stands between the two parts of a gradient: the parts are summed first.

// CHECK-LABEL: func.func @split
// CHECK-SAME: %[[W:.*]]: tensor<8x8xf32> {sparsam.param
// CHECK: %[[A:.*]] = linalg.matmul
// CHECK: %[[B:.*]] = linalg.matmul
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[B]], %[[A]]
// CHECK: %[[G:.*]] = sparsam.gradient %[[SUM]] of "w"
// CHECK: linalg.generic {{.*}} ins(%[[W]], %[[G]]
func.func @split(%w: tensor<8x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                 %x: tensor<8x8xf32>, %dy: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %e = tensor.empty() : tensor<8x8xf32>
  %a = linalg.matmul ins(%x, %dy : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %b = linalg.matmul ins(%dy, %x : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %decayed = linalg.add ins(%a, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %g = linalg.add ins(%decayed, %b : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %g : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %w1 : tensor<8x8xf32>
}

// -----

// A mean over two halves of a batch: the halves are scaled before they are summed.

// CHECK-LABEL: func.func @accumulated
// CHECK: %[[SUM:.*]] = linalg.add
// CHECK-NEXT: sparsam.gradient %[[SUM]] of "w"
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @accumulated(%w: tensor<8x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                       %x: tensor<8x8xf32>, %dy: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %half = arith.constant 5.0e-01 : f32
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %e = tensor.empty() : tensor<8x8xf32>
  %a = linalg.matmul ins(%x, %dy : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %b = linalg.matmul ins(%dy, %x : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %a2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %half : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %b2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%b : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %half : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %g = linalg.add ins(%a2, %b2 : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %g : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %w1 : tensor<8x8xf32>
}

// -----

// The clipping reads the gradient too: both readers come behind the mark, and the norm of
// two parameters is global.

// CHECK-LABEL: func.func @clipped
// CHECK: %[[DA:.*]] = linalg.matmul
// CHECK-NEXT: %[[A:.*]] = sparsam.gradient %[[DA]] of "a"
// CHECK: %[[DB:.*]] = linalg.matmul
// CHECK-NEXT: %[[B:.*]] = sparsam.gradient %[[DB]] of "b"
// CHECK: tensor.collapse_shape %[[A]]
// CHECK: tensor.collapse_shape %[[B]]
// CHECK: linalg.generic {{.*}} ins(%[[A]], %{{.*}} : tensor<8x8xf32>, tensor<f32>)
// CHECK: linalg.generic {{.*}} ins(%[[B]], %{{.*}} : tensor<8x8xf32>, tensor<f32>)
#id = affine_map<(d0, d1) -> (d0, d1)>
#scalar = affine_map<(d0, d1) -> ()>
func.func @clipped(%wa: tensor<8x8xf32> {sparsam.param = "a", sparsam.updates = 0 : i64},
                   %wb: tensor<8x8xf32> {sparsam.param = "b", sparsam.updates = 1 : i64},
                   %x: tensor<8x8xf32>, %dy: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %z = arith.constant dense<0.0> : tensor<f32>
  %e = tensor.empty() : tensor<8x8xf32>
  %da = linalg.matmul ins(%x, %dy : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %db = linalg.matmul ins(%dy, %x : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %fa = tensor.collapse_shape %da [[0, 1]] : tensor<8x8xf32> into tensor<64xf32>
  %fb = tensor.collapse_shape %db [[0, 1]] : tensor<8x8xf32> into tensor<64xf32>
  %na = linalg.dot ins(%fa, %fa : tensor<64xf32>, tensor<64xf32>) outs(%z : tensor<f32>) -> tensor<f32>
  %n = linalg.dot ins(%fb, %fb : tensor<64xf32>, tensor<64xf32>) outs(%na : tensor<f32>) -> tensor<f32>
  %ca = linalg.generic {indexing_maps = [#id, #scalar, #id], iterator_types = ["parallel", "parallel"]} ins(%da, %n : tensor<8x8xf32>, tensor<f32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%in: f32, %by: f32, %out: f32):
    %0 = arith.divf %in, %by : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %cb = linalg.generic {indexing_maps = [#id, #scalar, #id], iterator_types = ["parallel", "parallel"]} ins(%db, %n : tensor<8x8xf32>, tensor<f32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%in: f32, %by: f32, %out: f32):
    %0 = arith.divf %in, %by : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %a1 = linalg.sub ins(%wa, %ca : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %b1 = linalg.sub ins(%wb, %cb : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %a1, %b1 : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// A marked gradient: the result that marks it goes, and the numbers behind it change.

// CHECK-LABEL: func.func @marked
// CHECK-SAME: %arg0: tensor<8x8xf32> {sparsam.param = "w", sparsam.updates = 1 : i64}
// CHECK-SAME: -> (tensor<f32> {sparsam.name = "loss"}, tensor<8x8xf32>)
// CHECK: %[[RAW:.*]] = linalg.add ins(%{{.*}}, %arg0
// CHECK-NEXT: sparsam.gradient %[[RAW]] of "w" marked : tensor<8x8xf32>
// CHECK: return %arg3, %{{.*}} : tensor<f32>, tensor<8x8xf32>
func.func @marked(%w: tensor<8x8xf32> {sparsam.param = "w", sparsam.updates = 2 : i64},
                  %x: tensor<8x8xf32>, %dy: tensor<8x8xf32>, %loss: tensor<f32>)
    -> (tensor<f32> {sparsam.name = "loss"}, tensor<8x8xf32> {sparsam.gradient_of = "w"}, tensor<8x8xf32>) {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %e = tensor.empty() : tensor<8x8xf32>
  %a = linalg.matmul ins(%x, %dy : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %decayed = linalg.add ins(%a, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %decayed : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %loss, %decayed, %w1 : tensor<f32>, tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// Without attributes, where one answer is possible: the momentum's new value is not
// elementwise work on the parameter, and the product depends on the parameter only.

// CHECK-LABEL: func.func @inferred
// CHECK-SAME: %arg0: tensor<8x8xf32> {sparsam.param = "arg0", sparsam.updates = 1 : i64}
// CHECK-SAME: %arg1: tensor<8x8xf32> {sparsam.state_of = "arg0", sparsam.updates = 0 : i64}
// CHECK-SAME: %arg2: tensor<8x8xf32>)
// CHECK: sparsam.gradient %{{.*}} of "arg0"
func.func @inferred(%w: tensor<8x8xf32>, %m: tensor<8x8xf32>, %x: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %e = tensor.empty() : tensor<8x8xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %dw = linalg.matmul ins(%x, %y : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %m1 = linalg.add ins(%m, %dw : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %m1 : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %m1, %w1 : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// A parameter that is only read stays as it is.

// CHECK-LABEL: func.func @evaluate
// CHECK-SAME: %arg0: tensor<8x8xf32> {sparsam.param = "w"}
// CHECK-NOT: sparsam.gradient
func.func @evaluate(%w: tensor<8x8xf32> {sparsam.param = "w"}, %x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %y : tensor<8x8xf32>
}

// -----

// A batch of one: the gradient is an outer product, written as elementwise work.

// CHECK-LABEL: func.func @one_example
// CHECK-SAME: %arg1: tensor<16x4xf32> {sparsam.state_of = "w", sparsam.updates = 1 : i64}
// CHECK: %[[OUTER:.*]] = linalg.mul
// CHECK-NEXT: sparsam.gradient %[[OUTER]] of "w" : tensor<16x4xf32>
func.func @one_example(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                       %m: tensor<16x4xf32> {sparsam.updates = 1 : i64},
                       %x: tensor<16xf32>, %dy: tensor<4xf32>) -> (tensor<16x4xf32>, tensor<16x4xf32>) {
  %e = tensor.empty() : tensor<16x4xf32>
  %xs = linalg.broadcast ins(%x : tensor<16xf32>) outs(%e : tensor<16x4xf32>) dimensions = [1]
  %dys = linalg.broadcast ins(%dy : tensor<4xf32>) outs(%e : tensor<16x4xf32>) dimensions = [0]
  %dw = linalg.mul ins(%xs, %dys : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %m1 = linalg.add ins(%m, %dw : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %w1 = linalg.sub ins(%w, %m1 : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1, %m1 : tensor<16x4xf32>, tensor<16x4xf32>
}

// -----

// Two biases that are added have one gradient, and importers merge what follows from it:
// half of it is the same value for both. Each parameter has its own, and its own half.
#v1 = affine_map<(d0) -> (d0)>
#v2 = affine_map<(d0, d1) -> (d0, d1)>
#v3 = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func.func @one_gradient_of_two(
//       CHECK:   %[[G:.*]] = linalg.generic
//   CHECK-DAG:   %[[GA:.*]] = sparsam.gradient %[[G]] of "a"
//   CHECK-DAG:   %[[GB:.*]] = sparsam.gradient %[[G]] of "b"
//   CHECK-DAG:   %[[HA:.*]] = linalg.generic {{.*}} ins(%[[GA]] : tensor<4xf32>)
//   CHECK-DAG:   %[[HB:.*]] = linalg.generic {{.*}} ins(%[[GB]] : tensor<4xf32>)
//   CHECK-DAG:   %[[A:.*]] = linalg.generic {{.*}} ins(%arg0, %[[HA]]
//   CHECK-DAG:   %[[B:.*]] = linalg.generic {{.*}} ins(%arg1, %[[HB]]
//       CHECK:   return %[[A]], %[[B]]
func.func @one_gradient_of_two(%a: tensor<4xf32> {sparsam.param = "a", sparsam.updates = 0 : i64},
                               %b: tensor<4xf32> {sparsam.param = "b", sparsam.updates = 1 : i64},
                               %dy: tensor<8x4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %e = tensor.empty() : tensor<4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %g = linalg.generic {indexing_maps = [#v2, #v3], iterator_types = ["reduction", "parallel"]}
      ins(%dy : tensor<8x4xf32>) outs(%z : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %h = linalg.generic {indexing_maps = [#v1, #v1], iterator_types = ["parallel"]}
      ins(%g : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %half : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %a1 = linalg.generic {indexing_maps = [#v1, #v1, #v1], iterator_types = ["parallel"]}
      ins(%a, %h : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %0 = arith.subf %in, %in2 : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %b1 = linalg.generic {indexing_maps = [#v1, #v1, #v1], iterator_types = ["parallel"]}
      ins(%b, %h : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%in: f32, %in2: f32, %out: f32):
    %0 = arith.subf %in, %in2 : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %a1, %b1 : tensor<4xf32>, tensor<4xf32>
}
