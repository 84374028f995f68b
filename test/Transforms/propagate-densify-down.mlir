// Rule 3: densify moves down through elementwise work that keeps zero.
// RUN: sparsam-opt %s --sparsam-propagate --split-input-file | FileCheck %s

#nm = #sparsam.nm<2:4>
#id = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func.func @keeps_zero
//  CHECK-SAME: (%[[V:.*]]: tensor<4x8x1xf32>, %[[I:.*]]: tensor<4x8xi16>, %[[D:.*]]: tensor<16x4xf32>, %[[S:.*]]: f32)
//       CHECK:   %[[R:.*]] = sparsam.restrict %[[D]] on %[[I]]
//       CHECK:   %[[X:.*]] = linalg.generic {{.*}} ins(%[[V]], %[[R]] : tensor<4x8x1xf32>, tensor<4x8x1xf32>)
//       CHECK:   %[[W:.*]] = sparsam.densify %[[X]], %[[I]]
//       CHECK:   return %[[W]]
func.func @keeps_zero(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>, %d: tensor<16x4xf32>, %s: f32) -> tensor<16x4xf32> {
  %w = sparsam.densify %v, %i {structure = #nm} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %x = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w, %d : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %0 = arith.mulf %in, %t : f32
    %1 = math.sqrt %in : f32
    %2 = arith.divf %1, %s : f32
    %3 = arith.subf %0, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<16x4xf32>
  return %x : tensor<16x4xf32>
}

// -----

#nm = #sparsam.nm<2:4>
#id = affine_map<(d0, d1) -> (d0, d1)>

// The sign, as importers write it: zero by comparison.
// CHECK-LABEL: func.func @sign
//       CHECK:   linalg.generic {{.*}} outs({{.*}} : tensor<4x8x1xf32>)
//       CHECK:   sparsam.densify
func.func @sign(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>) -> tensor<16x4xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %w = sparsam.densify %v, %i {structure = #nm} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.cmpf ueq, %in, %zero : f32
    %1 = math.copysign %one, %in : f32
    %2 = arith.select %0, %in, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<16x4xf32>
  return %x : tensor<16x4xf32>
}

// -----

#nm = #sparsam.nm<2:4>
#id = affine_map<(d0, d1) -> (d0, d1)>

// exp(0) is not zero: the dense tensor stays.
// CHECK-LABEL: func.func @loses_zero
//       CHECK:   %[[W:.*]] = sparsam.densify
//       CHECK:   linalg.generic {{.*}} ins(%[[W]] : tensor<16x4xf32>)
func.func @loses_zero(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>) -> tensor<16x4xf32> {
  %w = sparsam.densify %v, %i {structure = #nm} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.exp %in : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  return %x : tensor<16x4xf32>
}

// -----

#nm = #sparsam.nm<2:4>
#id = affine_map<(d0, d1) -> (d0, d1)>

// Two patterns: zero in one of them is enough for a product, not for a sum.
// CHECK-LABEL: func.func @two_patterns
//  CHECK-SAME: (%[[V:.*]]: tensor<4x8x1xf32>, %[[I:[a-z0-9]*]]: tensor<4x8xi16>, %[[J:.*]]: tensor<4x8xi16>)
//       CHECK:   %[[B:.*]] = sparsam.densify %[[V]], %[[J]]
//       CHECK:   %[[R:.*]] = sparsam.restrict %[[B]] on %[[I]]
//       CHECK:   %[[P:.*]] = linalg.generic {{.*}} ins(%[[V]], %[[R]] :
//       CHECK:   sparsam.densify %[[P]], %[[I]]
//       CHECK:   linalg.generic {{.*}} ins({{.*}} : tensor<16x4xf32>, tensor<16x4xf32>)
func.func @two_patterns(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>, %j: tensor<4x8xi16>) -> (tensor<16x4xf32>, tensor<16x4xf32>) {
  %a = sparsam.densify %v, %i {structure = #nm} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %b = sparsam.densify %v, %j {structure = #nm} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %x = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %0 = arith.mulf %in, %t : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %t: f32, %out: f32):
    %0 = arith.addf %in, %t : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  return %x, %y : tensor<16x4xf32>, tensor<16x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#t = affine_map<(d0, d1) -> (d1, d0)>

// Transposing copies and reshapes are other views of the same storage.
// CHECK-LABEL: func.func @layout
//   CHECK-DAG:   sparsam.densify %arg0, %arg1 {structure = #sparsam.nm<2:4, in = [1]>} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<4x16xf32>
//   CHECK-DAG:   sparsam.densify %arg0, %arg1 {structure = #sparsam.nm<2:4>} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x2x2xf32>
//   CHECK-DAG:   sparsam.densify %arg0, %arg1 {structure = #sparsam.nm<2:4, in = [0, 1]>} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<2x8x4xf32>
//   CHECK-NOT:   linalg.generic
func.func @layout(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>) -> (tensor<4x16xf32>, tensor<16x2x2xf32>, tensor<2x8x4xf32>) {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %e = tensor.empty() : tensor<4x16xf32>
  %x = linalg.generic {indexing_maps = [#t, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<16x4xf32>) outs(%e : tensor<4x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<4x16xf32>
  %y = tensor.expand_shape %w [[0], [1, 2]] output_shape [16, 2, 2] : tensor<16x4xf32> into tensor<16x2x2xf32>
  %z = tensor.expand_shape %w [[0, 1], [2]] output_shape [2, 8, 4] : tensor<16x4xf32> into tensor<2x8x4xf32>
  return %x, %y, %z : tensor<4x16xf32>, tensor<16x2x2xf32>, tensor<2x8x4xf32>
}

// -----

// Inputs and outputs in one dimension: no view has that.
// CHECK-LABEL: func.func @no_view
//       CHECK:   sparsam.densify
//       CHECK:   tensor.collapse_shape
func.func @no_view(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>) -> tensor<64xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>} : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %x = tensor.collapse_shape %w [[0, 1]] : tensor<16x4xf32> into tensor<64xf32>
  return %x : tensor<64xf32>
}
