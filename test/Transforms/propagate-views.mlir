// RUN: sparsam-opt %s --sparsam-propagate --split-input-file --verify-diagnostics | FileCheck %s

// Products as JAX emits them for jnp.einsum("bsd,dhk->bhsk", x, w): the weight comes
// first and transposed, its heads flattened. What is read by the next product is the
// spmm's result without a transpose in between.
#map = affine_map<(d0, d1, d2) -> (d2, d0, d1)>
#map1 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map2 = affine_map<(d0, d1, d2) -> (d1, d2, d0)>
#map3 = affine_map<(d0, d1, d2, d3) -> (d1, d3, d0, d2)>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, d3)>
// CHECK-LABEL: func @heads(
//  CHECK-SAME:     %[[X:[^:]*]]: tensor<2x4x8xf32>,
//   CHECK-NOT:   transpose
//       CHECK:   %[[XC:.*]] = tensor.collapse_shape %[[X]] {{\[}}[0, 1], [2]] : tensor<2x4x8xf32> into tensor<8x8xf32>
//       CHECK:   %[[Q:.*]] = sparsam.spmm %[[XC]], {{.*}} {structure = #sparsam.nm<2:4>}
//   CHECK-NOT:   transpose
//       CHECK:   %[[Z:.*]] = sparsam.spmm %[[Q]], {{.*}} {structure = #sparsam.nm<1:3>}
//       CHECK:   tensor.expand_shape %[[Z]] {{\[}}[0, 1], [2]]
func.func @heads(%x: tensor<2x4x8xf32>, %qv: tensor<6x4x1xf32>, %qi: tensor<6x4xi16>,
                 %zv: tensor<8x2x1xf32>, %zi: tensor<8x2xi16>) -> tensor<2x4x8xf32> {
  %q = sparsam.densify %qv, %qi {structure = #sparsam.nm<2:4>}
      : (tensor<6x4x1xf32>, tensor<6x4xi16>) -> tensor<8x2x3xf32>
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<2x3x8xf32>
  %qt = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%q : tensor<8x2x3xf32>) outs(%e0 : tensor<2x3x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<2x3x8xf32>
  %qc = tensor.collapse_shape %qt [[0, 1], [2]] : tensor<2x3x8xf32> into tensor<6x8xf32>
  %e1 = tensor.empty() : tensor<8x2x4xf32>
  %xt = linalg.generic {indexing_maps = [#map2, #map1], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x4x8xf32>) outs(%e1 : tensor<8x2x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<8x2x4xf32>
  %xc = tensor.collapse_shape %xt [[0], [1, 2]] : tensor<8x2x4xf32> into tensor<8x8xf32>
  %e2 = tensor.empty() : tensor<6x8xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<6x8xf32>) -> tensor<6x8xf32>
  %y = linalg.matmul ins(%qc, %xc : tensor<6x8xf32>, tensor<8x8xf32>)
      outs(%z2 : tensor<6x8xf32>) -> tensor<6x8xf32>
  %ye = tensor.expand_shape %y [[0, 1], [2, 3]] output_shape [2, 3, 2, 4]
      : tensor<6x8xf32> into tensor<2x3x2x4xf32>
  %e3 = tensor.empty() : tensor<2x2x4x3xf32>
  %yt = linalg.generic {indexing_maps = [#map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%ye : tensor<2x3x2x4xf32>) outs(%e3 : tensor<2x2x4x3xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<2x2x4x3xf32>
  %e4 = tensor.empty() : tensor<2x4x2x3xf32>
  %yb = linalg.generic {indexing_maps = [#map5, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%yt : tensor<2x2x4x3xf32>) outs(%e4 : tensor<2x4x2x3xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<2x4x2x3xf32>
  %w = sparsam.densify %zv, %zi {structure = #sparsam.nm<1:3, in = [0, 1]>}
      : (tensor<8x2x1xf32>, tensor<8x2xi16>) -> tensor<2x3x8xf32>
  %yc = tensor.collapse_shape %yb [[0, 1], [2, 3]] : tensor<2x4x2x3xf32> into tensor<8x6xf32>
  %wc = tensor.collapse_shape %w [[0, 1], [2]] : tensor<2x3x8xf32> into tensor<6x8xf32>
  %e5 = tensor.empty() : tensor<8x8xf32>
  %z5 = linalg.fill ins(%zero : f32) outs(%e5 : tensor<8x8xf32>) -> tensor<8x8xf32>
  %o = linalg.matmul ins(%yc, %wc : tensor<8x6xf32>, tensor<6x8xf32>)
      outs(%z5 : tensor<8x8xf32>) -> tensor<8x8xf32>
  %oe = tensor.expand_shape %o [[0, 1], [2]] output_shape [2, 4, 8] : tensor<8x8xf32> into tensor<2x4x8xf32>
  return %oe : tensor<2x4x8xf32>
}

// -----

// The gradient of a parameter whose inputs are its first two dimensions, made with the
// outputs first: einsum("bshk,bsd->dhk") and a transpose.
#map = affine_map<(d0, d1, d2) -> (d2, d0, d1)>
#map1 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-LABEL: func @gradient(
//  CHECK-SAME:     %[[X:[^:]*]]: tensor<5x3x2x6xf32>, %[[DY:[^:]*]]: tensor<5x3x7xf32>, %[[I:[^:]*]]: tensor
//   CHECK-NOT:   transpose
//       CHECK:   %[[LHS:.*]] = tensor.collapse_shape %[[X]] {{\[}}[0, 1], [2, 3]]
//       CHECK:   %[[RHS:.*]] = tensor.collapse_shape %[[DY]] {{\[}}[0, 1], [2]]
//       CHECK:   sparsam.sddmm %[[LHS]], %[[RHS]] on %[[I]] into %{{.*}} {structure = #sparsam.nm<1:4>}
func.func @gradient(%x: tensor<5x3x2x6xf32>, %dy: tensor<5x3x7xf32>, %i: tensor<7x3xi16>)
    -> tensor<7x3x1xf32> {
  %g = sparsam.einsum "bshk,bsd->dhk"(%x, %dy)
      : (tensor<5x3x2x6xf32>, tensor<5x3x7xf32>) -> tensor<7x2x6xf32>
  %e = tensor.empty() : tensor<2x6x7xf32>
  %t = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%g : tensor<7x2x6xf32>) outs(%e : tensor<2x6x7xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<2x6x7xf32>
  %r = sparsam.restrict %t on %i {structure = #sparsam.nm<1:4, in = [0, 1]>}
      : (tensor<2x6x7xf32>, tensor<7x3xi16>) -> tensor<7x3x1xf32>
  return %r : tensor<7x3x1xf32>
}

// -----

// Dimensions of size 1 on all sides, and no tokens but one.
// CHECK-LABEL: func @units(
//       CHECK:   sparsam.spmm {{.*}} : (tensor<1x12xf32>, {{.*}}, tensor<1x5xf32>) -> tensor<1x5xf32>
//   CHECK-NOT:   transpose
func.func @units(%x: tensor<1x12x1xf32>, %v: tensor<5x3x1xf32>, %i: tensor<5x3xi16>)
    -> tensor<5x1x1xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<1:4, in = [1]>}
      : (tensor<5x3x1xf32>, tensor<5x3xi16>) -> tensor<1x12x5x1xf32>
  %y = sparsam.einsum "akb,ckno->nac"(%x, %w)
      : (tensor<1x12x1xf32>, tensor<1x12x5x1xf32>) -> tensor<5x1x1xf32>
  return %y : tensor<5x1x1xf32>
}

// -----

// Reshapes and transposes that undo each other go, whatever is between products.
// CHECK-LABEL: func @shorten(
//  CHECK-SAME:     %[[X:[^:]*]]: tensor<6x4xf32>)
//  CHECK-NEXT:   return %[[X]]
func.func @shorten(%x: tensor<6x4xf32>) -> tensor<6x4xf32> {
  %0 = tensor.expand_shape %x [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  %e1 = tensor.empty() : tensor<4x2x3xf32>
  %1 = linalg.transpose ins(%0 : tensor<2x3x4xf32>) outs(%e1 : tensor<4x2x3xf32>) permutation = [2, 0, 1]
  %2 = tensor.collapse_shape %1 [[0], [1, 2]] : tensor<4x2x3xf32> into tensor<4x6xf32>
  %e2 = tensor.empty() : tensor<6x4xf32>
  %3 = linalg.transpose ins(%2 : tensor<4x6xf32>) outs(%e2 : tensor<6x4xf32>) permutation = [1, 0]
  return %3 : tensor<6x4xf32>
}

// -----

// 6 x 4 to 4 x 6 cuts across the dimensions of the parameter: it stays dense.
func.func @cut_across(%x: tensor<5x4xf32>, %v: tensor<4x3x1xf32> {sparsam.param = "w"},
                      %i: tensor<4x3xi16>) -> tensor<5x6xf32> {
  // expected-remark @+1 {{parameter "w" of #sparsam.nm<1:2> is made dense: a reshape in between cuts across its dimensions}}
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<1:2>}
      : (tensor<4x3x1xf32>, tensor<4x3xi16>) -> tensor<6x4xf32>
  %f = tensor.collapse_shape %w [[0, 1]] : tensor<6x4xf32> into tensor<24xf32>
  %wr = tensor.expand_shape %f [[0, 1]] output_shape [4, 6] : tensor<24xf32> into tensor<4x6xf32>
  // expected-note @+1 {{used here}}
  %y = sparsam.einsum "tk,kn->tn"(%x, %wr)
      : (tensor<5x4xf32>, tensor<4x6xf32>) -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}
