// Rules 1 and 2: restrict moves up through elementwise work.
// RUN: sparsam-opt %s --sparsam-propagate --split-input-file | FileCheck %s

#nm = #sparsam.nm<2:4>
#id = affine_map<(d0, d1) -> (d0, d1)>
#scalar = affine_map<(d0, d1) -> ()>

// Rule 1, and only for the same pattern.
// CHECK-LABEL: func.func @restrict_of_densify
//  CHECK-SAME: (%[[V:.*]]: tensor<4x8x1xf32>, %[[I:.*]]: tensor<4x8xi16>, %[[J:.*]]: tensor<4x8xi16>)
//       CHECK:   %[[W:.*]] = sparsam.densify %[[V]], %[[I]]
//       CHECK:   %[[R:.*]] = sparsam.restrict %[[W]] on %[[J]]
//       CHECK:   return %[[V]], %[[R]]
func.func @restrict_of_densify(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>, %j: tensor<4x8xi16>)
    -> (tensor<4x8x1xf32>, tensor<4x8x1xf32>) {
  %w = sparsam.densify %v, %i {structure = #nm} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %0 = sparsam.restrict %w on %i {structure = #nm} : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  %1 = sparsam.restrict %w on %j {structure = #nm} : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %0, %1 : tensor<4x8x1xf32>, tensor<4x8x1xf32>
}

// -----

#nm = #sparsam.nm<2:4>
#id = affine_map<(d0, d1) -> (d0, d1)>
#scalar = affine_map<(d0, d1) -> ()>

// Operands, a scalar tensor, a scalar from outside, a splat and a broadcast.
// CHECK-LABEL: func.func @elementwise
//  CHECK-SAME: (%[[A:.*]]: tensor<16x4xf32>, %[[S:.*]]: tensor<f32>, %[[C:.*]]: i1, %[[I:.*]]: tensor<4x8xi16>)
//   CHECK-DAG:   %[[SPLAT:.*]] = arith.constant dense<2.000000e+00> : tensor<4x8x1xf32>
//       CHECK:   %[[R:.*]] = sparsam.restrict %[[A]] on %[[I]] {{.*}} -> tensor<4x8x1xf32>
//   CHECK-NOT:   sparsam
//       CHECK:   %[[B:.*]] = linalg.generic {{.*}} ins(%[[S]] : tensor<f32>) outs({{.*}} : tensor<4x8x1xf32>)
//       CHECK:   linalg.generic {{.*}} ins(%[[R]], %[[S]], %[[SPLAT]], %[[B]] : tensor<4x8x1xf32>, tensor<f32>, tensor<4x8x1xf32>, tensor<4x8x1xf32>)
//       CHECK:     arith.select %[[C]]
//       CHECK:   return %{{.*}} : tensor<4x8x1xf32>
func.func @elementwise(%a: tensor<16x4xf32>, %s: tensor<f32>, %c: i1, %i: tensor<4x8xi16>) -> tensor<4x8x1xf32> {
  %splat = arith.constant dense<2.0> : tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %b = linalg.generic {indexing_maps = [#scalar, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<16x4xf32>
  %x = linalg.generic {indexing_maps = [#id, #scalar, #id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %s, %splat, %b : tensor<16x4xf32>, tensor<f32>, tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %t: f32, %u: f32, %v: f32, %out: f32):
    %0 = arith.mulf %in, %t : f32
    %1 = arith.addf %0, %u : f32
    %2 = arith.select %c, %1, %v : f32
    linalg.yield %2 : f32
  } -> tensor<16x4xf32>
  %r = sparsam.restrict %x on %i {structure = #nm} : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %r : tensor<4x8x1xf32>
}

// -----

#nm = #sparsam.nm<2:4>
#id = affine_map<(d0, d1) -> (d0, d1)>

// A comparison has elements of i1; the destination counts where the body reads it.
// CHECK-LABEL: func.func @comparison
//   CHECK-DAG:   %[[A:.*]] = sparsam.restrict %arg0
//   CHECK-DAG:   %[[B:.*]] = sparsam.restrict %arg1
//       CHECK:   %[[C:.*]] = linalg.generic {{.*}} ins(%[[A]] : tensor<4x8x1xf32>) outs({{.*}} : tensor<4x8x1xi1>)
//       CHECK:   linalg.generic {{.*}} ins(%[[C]] : tensor<4x8x1xi1>) outs(%[[B]] : tensor<4x8x1xf32>)
func.func @comparison(%a: tensor<16x4xf32>, %b: tensor<16x4xf32>, %i: tensor<4x8xi16>) -> tensor<4x8x1xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x4xi1>
  %c = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<16x4xf32>) outs(%e : tensor<16x4xi1>) {
  ^bb0(%in: f32, %out: i1):
    %0 = arith.cmpf ogt, %in, %zero : f32
    linalg.yield %0 : i1
  } -> tensor<16x4xi1>
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%c : tensor<16x4xi1>) outs(%b : tensor<16x4xf32>) {
  ^bb0(%in: i1, %out: f32):
    %0 = arith.select %in, %out, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %r = sparsam.restrict %x on %i {structure = #nm} : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %r : tensor<4x8x1xf32>
}

// -----

#nm = #sparsam.nm<2:4>
#id = affine_map<(d0, d1) -> (d0, d1)>

// What two restrictions share is restricted and computed once.
// CHECK-LABEL: func.func @shared
// CHECK-COUNT-1: sparsam.restrict
//   CHECK-NOT:   sparsam.restrict
// CHECK-COUNT-1: math.sqrt
//   CHECK-NOT:   math.sqrt
//       CHECK:   return
func.func @shared(%a: tensor<16x4xf32>, %i: tensor<4x8xi16>) -> (tensor<4x8x1xf32>, tensor<4x8x1xf32>, tensor<4x8x1xf32>) {
  %e = tensor.empty() : tensor<16x4xf32>
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.sqrt %in : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %a : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %0 = arith.divf %in, %t : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %z = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %0 = arith.mulf %in, %t : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %0 = sparsam.restrict %x on %i {structure = #nm} : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  %1 = sparsam.restrict %y on %i {structure = #nm} : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  %2 = sparsam.restrict %z on %i {structure = #nm} : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %0, %1, %2 : tensor<4x8x1xf32>, tensor<4x8x1xf32>, tensor<4x8x1xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#t = affine_map<(d0, d1) -> (d1, d0)>

// A transposed operand is restricted in its own view; so is what a reshape makes.
// CHECK-LABEL: func.func @transposed
//   CHECK-DAG:   sparsam.restrict %arg0 on %arg2 {structure = #sparsam.nm<2:4, in = [1]>} : (tensor<4x16xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
//   CHECK-DAG:   sparsam.restrict %arg1 on %arg2 {structure = #sparsam.nm<2:4, in = [0, 1]>} : (tensor<2x8x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
//   CHECK-NOT:   sparsam
//       CHECK:   return
func.func @transposed(%a: tensor<4x16xf32>, %b: tensor<2x8x4xf32>, %i: tensor<4x8xi16>) -> tensor<4x8x1xf32> {
  %e = tensor.empty() : tensor<16x4xf32>
  %c = tensor.collapse_shape %b [[0, 1], [2]] : tensor<2x8x4xf32> into tensor<16x4xf32>
  %x = linalg.generic {indexing_maps = [#t, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %c : tensor<4x16xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %0 = arith.mulf %in, %t : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %r = sparsam.restrict %x on %i {structure = #sparsam.nm<2:4>} : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %r : tensor<4x8x1xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// Refused: a body that reads its index, and an operand that is broadcast by rows.
// CHECK-LABEL: func.func @refused
//       CHECK:   %[[X:.*]] = linalg.generic
//       CHECK:   %[[Y:.*]] = linalg.generic
//       CHECK:   sparsam.restrict %[[X]]
//       CHECK:   sparsam.restrict %[[Y]]
func.func @refused(%a: tensor<16x4xf32>, %b: tensor<4xf32>, %i: tensor<4x8xi16>) -> (tensor<4x8x1xf32>, tensor<4x8x1xf32>) {
  %e = tensor.empty() : tensor<16x4xf32>
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = linalg.index 0 : index
    %1 = arith.index_cast %0 : index to i32
    %2 = arith.sitofp %1 : i32 to f32
    %3 = arith.mulf %in, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<16x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<16x4xf32>, tensor<4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %0 = arith.mulf %in, %t : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %0 = sparsam.restrict %x on %i {structure = #sparsam.nm<2:4>} : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  %1 = sparsam.restrict %y on %i {structure = #sparsam.nm<2:4>} : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %0, %1 : tensor<4x8x1xf32>, tensor<4x8x1xf32>
}
