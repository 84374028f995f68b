// RUN: sparsam-opt %s --sparsam-propagate --split-input-file --verify-diagnostics | FileCheck %s

// Rule 10: a layer of a densified parameter is a densified layer of its storage.
// CHECK-LABEL: func @slice(
//  CHECK-SAME:     %[[X:.*]]: tensor<8x16xf32>, %[[V:.*]]: tensor<3x4x8x1xf32>, %[[I:.*]]: tensor<3x4x8xi16>, %[[L:.*]]: index
//   CHECK-NOT:   densify
//       CHECK:   %[[VL:.*]] = tensor.extract_slice %[[V]][%[[L]], 0, 0, 0] [1, 4, 8, 1]
//       CHECK:   %[[IL:.*]] = tensor.extract_slice %[[I]][%[[L]], 0, 0] [1, 4, 8]
//       CHECK:   %[[VM:.*]] = tensor.collapse_shape %[[VL]]
//       CHECK:   %[[IM:.*]] = tensor.collapse_shape %[[IL]]
//       CHECK:   sparsam.spmm %[[X]], %[[VM]], %[[IM]] into %{{.*}} {structure = #sparsam.nm<2:4>}
func.func @slice(%x: tensor<8x16xf32>, %v: tensor<3x4x8x1xf32>, %i: tensor<3x4x8xi16>,
                 %l: index) -> tensor<8x4xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, stack = [0]>}
      : (tensor<3x4x8x1xf32>, tensor<3x4x8xi16>) -> tensor<3x16x4xf32>
  %s = tensor.extract_slice %w[%l, 0, 0] [1, 16, 4] [1, 1, 1]
      : tensor<3x16x4xf32> to tensor<16x4xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
  %y = linalg.matmul ins(%x, %s : tensor<8x16xf32>, tensor<16x4xf32>)
      outs(%z : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

// The stacked dimension may be any, and several layers may be taken at once.
// CHECK-LABEL: func @slice_run(
//       CHECK:   %[[V:.*]] = tensor.extract_slice %{{.*}}[1, 0, 0, 0] [2, 4, 8, 1]
//       CHECK:   %[[I:.*]] = tensor.extract_slice %{{.*}}[1, 0, 0] [2, 4, 8]
//       CHECK:   %[[N:.*]] = linalg.generic {{.*}} ins(%[[V]]
//       CHECK:   arith.negf
//       CHECK:   sparsam.densify %[[N]], %[[I]] {structure = #sparsam.nm<2:4, stack = [1]>}
func.func @slice_run(%v: tensor<3x4x8x1xf32>, %i: tensor<3x4x8xi16>) -> tensor<16x2x4xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, stack = [1]>}
      : (tensor<3x4x8x1xf32>, tensor<3x4x8xi16>) -> tensor<16x3x4xf32>
  %s = tensor.extract_slice %w[0, 1, 0] [16, 2, 4] [1, 1, 1]
      : tensor<16x3x4xf32> to tensor<16x2x4xf32>
  %e = tensor.empty() : tensor<16x2x4xf32>
  // expected-remark @+1 {{a parameter of #sparsam.nm<2:4, stack = [1]> is made dense: it is returned}}
  %n = linalg.negf ins(%s : tensor<16x2x4xf32>) outs(%e : tensor<16x2x4xf32>)
      -> tensor<16x2x4xf32>
  // expected-note @+1 {{used here}}
  return %n : tensor<16x2x4xf32>
}

// -----

// A slice through the matrices is no slice of the storage.
// CHECK-LABEL: func @cut(
//       CHECK:   sparsam.densify
//       CHECK:   tensor.extract_slice
func.func @cut(%v: tensor<3x4x8x1xf32>, %i: tensor<3x4x8xi16>) -> tensor<3x8x4xf32> {
  // expected-remark @+1 {{is made dense: `tensor.extract_slice` needs all of it}}
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, stack = [0]>}
      : (tensor<3x4x8x1xf32>, tensor<3x4x8xi16>) -> tensor<3x16x4xf32>
  // expected-note @+1 {{used here}}
  %s = tensor.extract_slice %w[0, 4, 0] [3, 8, 4] [1, 1, 1]
      : tensor<3x16x4xf32> to tensor<3x8x4xf32>
  return %s : tensor<3x8x4xf32>
}

// -----

// restrict of inserted layers inserts restricted layers.
// CHECK-LABEL: func @insert(
//  CHECK-SAME:     %[[A:.*]]: tensor<8x16xf32>, %[[B:.*]]: tensor<8x4xf32>, %[[I:.*]]: tensor<3x4x8xi16>, %[[L:.*]]: index
//   CHECK-NOT:   tensor<3x16x4xf32>
//       CHECK:   %[[ZERO:.*]] = arith.constant dense<0.0{{.*}}> : tensor<3x4x8x1xf32>
//       CHECK:   %[[IL:.*]] = tensor.extract_slice %[[I]][%[[L]], 0, 0] [1, 4, 8]
//       CHECK:   %[[G:.*]] = sparsam.sddmm %[[A]], %[[B]] on
//       CHECK:   %[[E:.*]] = tensor.expand_shape %[[G]]
//       CHECK:   tensor.insert_slice %[[E]] into %[[ZERO]][%[[L]], 0, 0, 0] [1, 4, 8, 1]
func.func @insert(%a: tensor<8x16xf32>, %b: tensor<8x4xf32>, %i: tensor<3x4x8xi16>,
                  %l: index) -> tensor<3x4x8x1xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x16x4xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %g = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>,
                                      affine_map<(m, n, k) -> (k, n)>,
                                      affine_map<(m, n, k) -> (m, n)>]
      ins(%a, %b : tensor<8x16xf32>, tensor<8x4xf32>)
      outs(%z : tensor<16x4xf32>) -> tensor<16x4xf32>
  %s = tensor.insert_slice %g into %zero[%l, 0, 0] [1, 16, 4] [1, 1, 1]
      : tensor<16x4xf32> into tensor<3x16x4xf32>
  %r = sparsam.restrict %s on %i {structure = #sparsam.nm<2:4, stack = [0]>}
      : (tensor<3x16x4xf32>, tensor<3x4x8xi16>) -> tensor<3x4x8x1xf32>
  return %r : tensor<3x4x8x1xf32>
}

// -----

// A batched product with a stacked parameter is a product of each layer, forward and in
// the gradient.
#x = affine_map<(l, m, n, k) -> (l, m, k)>
#w = affine_map<(l, m, n, k) -> (l, k, n)>
#y = affine_map<(l, m, n, k) -> (l, m, n)>
// CHECK-LABEL: func @batched(
//       CHECK:   %[[Y:.*]] = scf.for %[[L:[^ ]*]] = {{.*}} iter_args(%[[ACC:[^ ]*]] = %{{.*}}) -> (tensor<3x8x4xf32>)
//       CHECK:     sparsam.spmm
//  CHECK-SAME:       (tensor<8x16xf32>, tensor<4x8x1xf32>, tensor<4x8xi16>, tensor<8x4xf32>)
//       CHECK:     tensor.insert_slice %{{.*}} into %[[ACC]][%[[L]], 0, 0] [1, 8, 4]
//       CHECK:   %[[G:.*]] = scf.for {{.*}} -> (tensor<3x4x8x1xf32>)
//       CHECK:     sparsam.sddmm
//  CHECK-SAME:       (tensor<8x16xf32>, tensor<8x4xf32>, tensor<4x8xi16>, tensor<4x8x1xf32>)
//       CHECK:   return %[[Y]], %[[G]]
func.func @batched(%x: tensor<3x8x16xf32>, %v: tensor<3x4x8x1xf32>, %i: tensor<3x4x8xi16>)
    -> (tensor<3x8x4xf32>, tensor<3x4x8x1xf32>) {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, stack = [0]>}
      : (tensor<3x4x8x1xf32>, tensor<3x4x8xi16>) -> tensor<3x16x4xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x8x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<3x8x4xf32>) -> tensor<3x8x4xf32>
  %y = linalg.batch_matmul ins(%x, %w : tensor<3x8x16xf32>, tensor<3x16x4xf32>)
      outs(%z : tensor<3x8x4xf32>) -> tensor<3x8x4xf32>
  %ge = tensor.empty() : tensor<3x16x4xf32>
  %gz = linalg.fill ins(%c : f32) outs(%ge : tensor<3x16x4xf32>) -> tensor<3x16x4xf32>
  %g = linalg.generic {indexing_maps = [#x, #y, #w],
      iterator_types = ["parallel", "reduction", "parallel", "parallel"]}
      ins(%x, %y : tensor<3x8x16xf32>, tensor<3x8x4xf32>) outs(%gz : tensor<3x16x4xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %acc, %p : f32
    linalg.yield %s : f32
  } -> tensor<3x16x4xf32>
  %r = sparsam.restrict %g on %i {structure = #sparsam.nm<2:4, stack = [0]>}
      : (tensor<3x16x4xf32>, tensor<3x4x8xi16>) -> tensor<3x4x8x1xf32>
  return %y, %r : tensor<3x8x4xf32>, tensor<3x4x8x1xf32>
}

// -----

// A sum over layers takes all of them.
// CHECK-LABEL: func @all_layers(
//       CHECK:   sparsam.densify
func.func @all_layers(%x: tensor<3x8x16xf32>, %v: tensor<3x4x8x1xf32>, %i: tensor<3x4x8xi16>)
    -> tensor<8x4xf32> {
  // expected-remark @+1 {{is made dense: it takes several layers at once}}
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, stack = [0]>}
      : (tensor<3x4x8x1xf32>, tensor<3x4x8xi16>) -> tensor<3x16x4xf32>
  %e = tensor.empty() : tensor<8x4xf32>
  %c = arith.constant 0.0 : f32
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
  // expected-note @+1 {{used here}}
  %y = linalg.batch_reduce_matmul ins(%x, %w : tensor<3x8x16xf32>, tensor<3x16x4xf32>)
      outs(%z : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

// A reshape that merges stacked dimensions reshapes the storage.
// CHECK-LABEL: func @merge_stack(
//       CHECK:   %[[V:.*]] = tensor.collapse_shape %{{.*}} {{\[}}[0, 1], [2], [3], [4]]
//  CHECK-SAME:       tensor<2x3x4x8x1xf32> into tensor<6x4x8x1xf32>
//       CHECK:   %[[I:.*]] = tensor.collapse_shape %{{.*}} {{\[}}[0, 1], [2], [3]]
//       CHECK:   sparsam.densify %[[V]], %[[I]] {structure = #sparsam.nm<2:4, stack = [0]>}
//  CHECK-SAME:       -> tensor<6x16x4xf32>
func.func @merge_stack(%v: tensor<2x3x4x8x1xf32>, %i: tensor<2x3x4x8xi16>)
    -> tensor<6x16x4xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, stack = [0, 1]>}
      : (tensor<2x3x4x8x1xf32>, tensor<2x3x4x8xi16>) -> tensor<2x3x16x4xf32>
  // expected-remark @+1 {{is made dense: it is returned}}
  %m = tensor.collapse_shape %w [[0, 1], [2], [3]]
      : tensor<2x3x16x4xf32> into tensor<6x16x4xf32>
  // expected-note @+1 {{used here}}
  return %m : tensor<6x16x4xf32>
}

// -----

// And restrict in front of one, with the values shaped back.
// CHECK-LABEL: func @restrict_merged_stack(
//       CHECK:   %[[I:.*]] = tensor.expand_shape %{{.*}} : tensor<6x4x8xi16> into tensor<2x3x4x8xi16>
//       CHECK:   %[[R:.*]] = sparsam.restrict %{{.*}} on %[[I]] {structure = #sparsam.nm<2:4, stack = [0, 1]>}
//       CHECK:   tensor.collapse_shape %[[R]] {{.*}} into tensor<6x4x8x1xf32>
func.func @restrict_merged_stack(%g: tensor<2x3x16x4xf32>, %i: tensor<6x4x8xi16>)
    -> tensor<6x4x8x1xf32> {
  %m = tensor.collapse_shape %g [[0, 1], [2], [3]]
      : tensor<2x3x16x4xf32> into tensor<6x16x4xf32>
  // expected-remark @+1 {{is read from a dense tensor: it is an argument}}
  %r = sparsam.restrict %m on %i {structure = #sparsam.nm<2:4, stack = [0]>}
      : (tensor<6x16x4xf32>, tensor<6x4x8xi16>) -> tensor<6x4x8x1xf32>
  return %r : tensor<6x4x8x1xf32>
}

// -----

// The transpose of taking one layer puts zeros around its gradient.
// CHECK-LABEL: func @padded(
//   CHECK-NOT:   tensor.pad
//       CHECK:   %[[ZERO:.*]] = arith.constant dense<0.0{{.*}}> : tensor<3x4x8x1xf32>
//       CHECK:   sparsam.sddmm
//       CHECK:   tensor.insert_slice %{{.*}} into %[[ZERO]][1, 0, 0, 0] [1, 4, 8, 1]
func.func @padded(%a: tensor<8x16xf32>, %b: tensor<8x4xf32>, %i: tensor<3x4x8xi16>)
    -> tensor<3x4x8x1xf32> {
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %g = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>,
                                      affine_map<(m, n, k) -> (k, n)>,
                                      affine_map<(m, n, k) -> (m, n)>]
      ins(%a, %b : tensor<8x16xf32>, tensor<8x4xf32>)
      outs(%z : tensor<16x4xf32>) -> tensor<16x4xf32>
  %one = tensor.expand_shape %g [[0, 1], [2]] output_shape [1, 16, 4]
      : tensor<16x4xf32> into tensor<1x16x4xf32>
  %p = tensor.pad %one low[1, 0, 0] high[1, 0, 0] {
  ^bb0(%d0: index, %d1: index, %d2: index):
    tensor.yield %c : f32
  } : tensor<1x16x4xf32> to tensor<3x16x4xf32>
  %r = sparsam.restrict %p on %i {structure = #sparsam.nm<2:4, stack = [0]>}
      : (tensor<3x16x4xf32>, tensor<3x4x8xi16>) -> tensor<3x4x8x1xf32>
  return %r : tensor<3x4x8x1xf32>
}
