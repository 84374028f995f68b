// RUN: sparsam-opt %s --sparsam-propagate --split-input-file --verify-diagnostics | FileCheck %s

// Rule 4 forward.
// CHECK-LABEL: func @forward(
//  CHECK-SAME:     %[[X:.*]]: tensor<8x16xf32>, %[[V:.*]]: tensor<4x8x1xf32>, %[[I:.*]]: tensor<4x8xi16>)
//   CHECK-NOT:   densify
//       CHECK:   %[[INIT:.*]] = tensor.empty() : tensor<8x4xf32>
//       CHECK:   %[[Y:.*]] = sparsam.spmm %[[X]], %[[V]], %[[I]] into %[[INIT]] {structure = #sparsam.nm<2:4>}
//       CHECK:   return %[[Y]]
func.func @forward(%x: tensor<8x16xf32>, %v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>)
    -> tensor<8x4xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>}
      : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x4xf32>)
      outs(%z : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

// Rule 4 backward: dx = dy * W^T, the transpose of W a copy as importers leave it.
#map = affine_map<(d0, d1) -> (d1, d0)>
#map1 = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func @backward_input(
//  CHECK-SAME:     %[[DY:[^:]*]]: tensor<8x4xf32>,
//       CHECK:   %[[DX:.*]] = sparsam.spmm %[[DY]], %{{.*}}, %{{.*}} into %{{.*}} {structure = #sparsam.nm<2:4>, transposed}
//  CHECK-SAME:     -> tensor<8x16xf32>
//       CHECK:   return %[[DX]]
func.func @backward_input(%dy: tensor<8x4xf32>, %v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>)
    -> tensor<8x16xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>}
      : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %c = arith.constant 0.0 : f32
  %te = tensor.empty() : tensor<4x16xf32>
  %wt = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<16x4xf32>) outs(%te : tensor<4x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<4x16xf32>
  %e = tensor.empty() : tensor<8x16xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %dx = linalg.matmul ins(%dy, %wt : tensor<8x4xf32>, tensor<4x16xf32>)
      outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %dx : tensor<8x16xf32>
}

// -----

// A product that does not start from zero, and whose weight comes first: W^T * x^T.
// CHECK-LABEL: func @onto_a_bias(
//  CHECK-SAME:     %[[X:[^:]*]]: tensor<16x5xf32>, %[[B:[^:]*]]: tensor<4x5xf32>,
//       CHECK:   %[[XT:.*]] = linalg.transpose ins(%[[X]] : {{.*}} permutation = [1, 0]
//       CHECK:   %[[Y:.*]] = sparsam.spmm %[[XT]],
//       CHECK:   %[[YT:.*]] = linalg.transpose ins(%[[Y]] : {{.*}} permutation = [1, 0]
//       CHECK:   linalg.generic {{.*}} ins(%[[B]], %[[YT]]
//       CHECK:     arith.addf
func.func @onto_a_bias(%x: tensor<16x5xf32>, %b: tensor<4x5xf32>, %v: tensor<4x8x1xf32>,
                       %i: tensor<4x8xi16>) -> tensor<4x5xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>}
      : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %te = tensor.empty() : tensor<4x16xf32>
  %wt = linalg.transpose ins(%w : tensor<16x4xf32>) outs(%te : tensor<4x16xf32>)
      permutation = [1, 0]
  %y = linalg.matmul ins(%wt, %x : tensor<4x16xf32>, tensor<16x5xf32>)
      outs(%b : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %y : tensor<4x5xf32>
}

// -----

// Rule 5, with the gradient made transposed.
// CHECK-LABEL: func @gradient(
//  CHECK-SAME:     %[[X:[^:]*]]: tensor<8x16xf32>, %[[DY:[^:]*]]: tensor<8x4xf32>, %[[I:[^:]*]]: tensor<4x8xi16>)
//   CHECK-NOT:   linalg
//       CHECK:   %[[DV:.*]] = sparsam.sddmm %[[X]], %[[DY]] on %[[I]] into %{{.*}} {structure = #sparsam.nm<2:4>}
//       CHECK:   return %[[DV]]
func.func @gradient(%x: tensor<8x16xf32>, %dy: tensor<8x4xf32>, %i: tensor<4x8xi16>)
    -> tensor<4x8x1xf32> {
  %c = arith.constant 0.0 : f32
  %te = tensor.empty() : tensor<4x8xf32>
  %dyt = linalg.transpose ins(%dy : tensor<8x4xf32>) outs(%te : tensor<4x8xf32>)
      permutation = [1, 0]
  %e = tensor.empty() : tensor<4x16xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>
  %dwt = linalg.matmul ins(%dyt, %x : tensor<4x8xf32>, tensor<8x16xf32>)
      outs(%z : tensor<4x16xf32>) -> tensor<4x16xf32>
  %we = tensor.empty() : tensor<16x4xf32>
  %dw = linalg.transpose ins(%dwt : tensor<4x16xf32>) outs(%we : tensor<16x4xf32>)
      permutation = [1, 0]
  %g = sparsam.gradient %dw of "w" : tensor<16x4xf32>
  %r = sparsam.restrict %g on %i {structure = #sparsam.nm<2:4>}
      : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %r : tensor<4x8x1xf32>
}

// -----

// A dense product is left as it is.
// CHECK-LABEL: func @dense(
//       CHECK:   linalg.matmul
func.func @dense(%x: tensor<8x16xf32>, %w: tensor<16x4xf32>, %z: tensor<8x4xf32>)
    -> tensor<8x4xf32> {
  %y = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x4xf32>)
      outs(%z : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

// A companion keeps its conversions, without remarks.
// CHECK-LABEL: func @densify(
//       CHECK:   sparsam.densify
func.func @densify(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>) -> tensor<16x4xf32>
    attributes {sparsam.companion} {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>}
      : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  return %w : tensor<16x4xf32>
}

// -----

// A batch of one: rule 5 on an outer product, a contraction of length one.
// CHECK-LABEL: func @outer_product(
//  CHECK-SAME:     %[[X:[^:]*]]: tensor<16xf32>, %[[DY:[^:]*]]: tensor<4xf32>, %[[I:[^:]*]]: tensor<4x8xi16>)
//   CHECK-DAG:   %[[ROW:.*]] = tensor.expand_shape %[[X]] {{.*}} into tensor<1x16xf32>
//   CHECK-DAG:   %[[DROW:.*]] = tensor.expand_shape %[[DY]] {{.*}} into tensor<1x4xf32>
//       CHECK:   %[[DV:.*]] = sparsam.sddmm %[[ROW]], %[[DROW]] on %[[I]] into %{{.*}} {structure = #sparsam.nm<2:4>}
//       CHECK:   return %[[DV]]
func.func @outer_product(%x: tensor<16xf32>, %dy: tensor<4xf32>, %i: tensor<4x8xi16>)
    -> tensor<4x8x1xf32> {
  %e = tensor.empty() : tensor<16x4xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>],
      iterator_types = ["parallel", "parallel"]} ins(%x, %dy : tensor<16xf32>, tensor<4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %r = sparsam.restrict %g on %i {structure = #sparsam.nm<2:4>}
      : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %r : tensor<4x8x1xf32>
}

// -----

// Rule 5 where the output's gradient repeats along the places that a mean was taken over: the
// input is summed over these first.
// CHECK-LABEL: func @gradient_of_a_mean(
//  CHECK-SAME:     %[[X:[^:]*]]: tensor<3x5x16xf32>, %[[DY:[^:]*]]: tensor<3x4xf32>, %[[I:[^:]*]]: tensor<4x8xi16>)
//       CHECK:   %[[SUM:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[X]]
//       CHECK:     arith.addf
//       CHECK:   } -> tensor<3x16xf32>
//   CHECK-NOT:   linalg
//       CHECK:   sparsam.sddmm %[[SUM]], %[[DY]] on %[[I]]
func.func @gradient_of_a_mean(%x: tensor<3x5x16xf32>, %dy: tensor<3x4xf32>, %i: tensor<4x8xi16>)
    -> tensor<4x8x1xf32> {
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(k, n, b, p) -> (b, p, k)>, affine_map<(k, n, b, p) -> (b, n)>, affine_map<(k, n, b, p) -> (k, n)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %dy : tensor<3x5x16xf32>, tensor<3x4xf32>) outs(%z : tensor<16x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<16x4xf32>
  %r = sparsam.restrict %g on %i {structure = #sparsam.nm<2:4>}
      : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %r : tensor<4x8x1xf32>
}

// -----

// The other way round, with no token in common.
// CHECK-LABEL: func @gradient_of_sums(
//   CHECK-DAG:   linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%{{.*}} : tensor<5x16xf32>)
//   CHECK-DAG:   linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%{{.*}} : tensor<7x4xf32>)
//       CHECK:   sparsam.sddmm %{{.*}}, %{{.*}} on %{{.*}} : (tensor<1x16xf32>, tensor<1x4xf32>,
func.func @gradient_of_sums(%x: tensor<5x16xf32>, %dy: tensor<7x4xf32>, %i: tensor<4x8xi16>)
    -> tensor<4x8x1xf32> {
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(k, n, p, q) -> (p, k)>, affine_map<(k, n, p, q) -> (q, n)>, affine_map<(k, n, p, q) -> (k, n)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %dy : tensor<5x16xf32>, tensor<7x4xf32>) outs(%z : tensor<16x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<16x4xf32>
  %r = sparsam.restrict %g on %i {structure = #sparsam.nm<2:4>}
      : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %r : tensor<4x8x1xf32>
}

// -----

// Rule 4 likewise.
// CHECK-LABEL: func @forward_of_a_sum(
//  CHECK-SAME:     %[[X:[^:]*]]: tensor<8x3x16xf32>
//       CHECK:   %[[SUM:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[X]]
//       CHECK:   } -> tensor<8x16xf32>
//   CHECK-NOT:   densify
//       CHECK:   sparsam.spmm %[[SUM]],
func.func @forward_of_a_sum(%x: tensor<8x3x16xf32>, %v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>)
    -> tensor<8x4xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>}
      : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, p, k) -> (m, p, k)>, affine_map<(m, n, p, k) -> (k, n)>, affine_map<(m, n, p, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<8x3x16xf32>, tensor<16x4xf32>) outs(%z : tensor<8x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}
