// RUN: sparsam-opt %s -sparsam-lower-storage -split-input-file | FileCheck %s
// What every structure builds has to bufferize, the densify in place.
// RUN: sparsam-opt %s -sparsam-lower-storage -canonicalize -split-input-file \
// RUN:   -one-shot-bufferize="bufferize-function-boundaries=1 function-boundary-type-conversion=identity-layout-map" \
// RUN:   -canonicalize | FileCheck %s --check-prefix=BUFFER

// A parameter in another view is brought to its matrix first.
// CHECK-LABEL: func @restrict_view
// CHECK:         %[[ORDERED:.+]] = linalg.generic
// CHECK-SAME:      ins(%{{.+}} : tensor<2x4x16xf32>) outs(%{{.+}} : tensor<16x2x4xf32>)
// CHECK:         %[[MATRIX:.+]] = tensor.collapse_shape %[[ORDERED]] {{\[}}[0], [1, 2]]
// CHECK-SAME:      tensor<16x2x4xf32> into tensor<16x8xf32>
// CHECK:         tensor.extract %[[MATRIX]]
func.func @restrict_view(%w: tensor<2x4x16xf32>, %i: tensor<4x8xi16>) -> tensor<4x8x2xf32> {
  %v = sparsam.restrict %w on %i {structure = #sparsam.nm<2:4, vector = 2, in = [2]>}
      : (tensor<2x4x16xf32>, tensor<4x8xi16>) -> tensor<4x8x2xf32>
  return %v : tensor<4x8x2xf32>
}

// -----

// CHECK-LABEL: func @densify_view
// CHECK:         %[[MATRIX:.+]] = scf.for
// CHECK:         %[[ORDERED:.+]] = tensor.expand_shape %[[MATRIX]] {{\[}}[0], [1, 2]]
// CHECK-SAME:      tensor<16x8xf32> into tensor<16x2x4xf32>
// CHECK:         linalg.generic
// CHECK-SAME:      ins(%[[ORDERED]] : tensor<16x2x4xf32>) outs(%{{.+}} : tensor<2x4x16xf32>)
func.func @densify_view(%v: tensor<4x8x2xf32>, %i: tensor<4x8xi16>) -> tensor<2x4x16xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, vector = 2, in = [2]>}
      : (tensor<4x8x2xf32>, tensor<4x8xi16>) -> tensor<2x4x16xf32>
  return %w : tensor<2x4x16xf32>
}

// -----

// A view that only flattens needs no transpose.
// CHECK-LABEL: func @select_flattened
// CHECK-NOT:     linalg.transpose
// CHECK:         tensor.collapse_shape %{{.+}} {{\[}}[0, 1], [2]] : tensor<2x8x4xf32> into tensor<16x4xf32>
// CHECK-NOT:     linalg.transpose
func.func @select_flattened(%w: tensor<2x8x4xf32>) -> tensor<4x8xi16> {
  %i = sparsam.select %w {structure = #sparsam.nm<2:4, in = [0, 1]>}
      : (tensor<2x8x4xf32>) -> tensor<4x8xi16>
  return %i : tensor<4x8xi16>
}

// -----

// The densify of factors is the product of their einsum.
// CHECK-LABEL: func @densify_factors
// CHECK-SAME:    (%[[A:.+]]: tensor<16x2xf32>, %[[B:.+]]: tensor<2x4xf32>)
// CHECK:         linalg.matmul ins(%[[A]], %[[B]] :
func.func @densify_factors(%u: tensor<16x2xf32>, %v: tensor<2x4xf32>) -> tensor<16x4xf32> {
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<2>}
      : (tensor<16x2xf32>, tensor<2x4xf32>) -> tensor<16x4xf32>
  return %w : tensor<16x4xf32>
}

// -----

// BUFFER-LABEL: func @densify_in_place
// BUFFER:         %[[W:.+]] = memref.alloc() {{.*}} : memref<16x4xf32>
// BUFFER-NOT:     memref.alloc
// BUFFER-NOT:     memref.copy
// BUFFER:         return %[[W]]
func.func @densify_in_place(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>) -> tensor<16x4xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>}
      : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  return %w : tensor<16x4xf32>
}

// -----

// Stacked layers: a loop makes the matrix of each, and the view is of all.
// CHECK-LABEL: func @densify_stacked
//  CHECK-SAME:   (%[[V:.+]]: tensor<3x4x8x1xf32>, %[[I:.+]]: tensor<3x4x8xi16>)
//       CHECK:   %[[ALL:.+]] = scf.for %[[L:[^ ]+]] = {{.*}} -> (tensor<3x16x4xf32>)
//   CHECK-DAG:     tensor.extract_slice %[[V]][%[[L]], 0, 0, 0] [1, 4, 8, 1] {{.*}} to tensor<4x8x1xf32>
//   CHECK-DAG:     tensor.extract_slice %[[I]][%[[L]], 0, 0] [1, 4, 8] {{.*}} to tensor<4x8xi16>
//       CHECK:     tensor.insert_slice
//       CHECK:   linalg.generic
//  CHECK-SAME:     ins(%[[ALL]] : tensor<3x16x4xf32>) outs(%{{.+}} : tensor<16x3x4xf32>)
// BUFFER-LABEL: func @densify_stacked
// BUFFER:         memref.alloc() {{.*}} : memref<3x16x4xf32>
// BUFFER:         memref.store
// BUFFER:         linalg.generic
func.func @densify_stacked(%v: tensor<3x4x8x1xf32>, %i: tensor<3x4x8xi16>)
    -> tensor<16x3x4xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, stack = [1]>}
      : (tensor<3x4x8x1xf32>, tensor<3x4x8xi16>) -> tensor<16x3x4xf32>
  return %w : tensor<16x3x4xf32>
}

// -----

// CHECK-LABEL: func @select_stacked
//       CHECK:   scf.for {{.*}} -> (tensor<3x4x8xi16>)
//       CHECK:     tensor.extract_slice {{.*}} to tensor<16x4xf32>
// CHECK-LABEL: func @restrict_stacked
//       CHECK:   scf.for {{.*}} -> (tensor<3x4x8x1xf32>)
//       CHECK:     tensor.extract_slice {{.*}} to tensor<16x4xf32>
func.func @select_stacked(%w: tensor<3x16x4xf32>) -> tensor<3x4x8xi16> {
  %i = sparsam.select %w {structure = #sparsam.nm<2:4, stack = [0]>}
      : (tensor<3x16x4xf32>) -> tensor<3x4x8xi16>
  return %i : tensor<3x4x8xi16>
}
func.func @restrict_stacked(%w: tensor<3x16x4xf32>, %i: tensor<3x4x8xi16>)
    -> tensor<3x4x8x1xf32> {
  %v = sparsam.restrict %w on %i {structure = #sparsam.nm<2:4, stack = [0]>}
      : (tensor<3x16x4xf32>, tensor<3x4x8xi16>) -> tensor<3x4x8x1xf32>
  return %v : tensor<3x4x8x1xf32>
}

// -----

// CHECK-LABEL: func @factorize_stacked
//       CHECK:   scf.for {{.*}} -> (tensor<2x3x16x2xf32>, tensor<2x3x2x4xf32>)
//       CHECK:     scf.for
//       CHECK:       call @sparsam_svd_f32
//       CHECK:       tensor.insert_slice
//       CHECK:       tensor.insert_slice
func.func @factorize_stacked(%w: tensor<2x3x16x4xf32>)
    -> (tensor<2x3x16x2xf32>, tensor<2x3x2x4xf32>) {
  %u, %v = sparsam.factorize %w {structure = #sparsam.low_rank<2, stack = [0, 1]>}
      : (tensor<2x3x16x4xf32>) -> (tensor<2x3x16x2xf32>, tensor<2x3x2x4xf32>)
  return %u, %v : tensor<2x3x16x2xf32>, tensor<2x3x2x4xf32>
}

// -----

// Half precision is selected from and factored in f32, and rounded once.
// CHECK-LABEL: func @narrow
//       CHECK:   %[[WIDE:.+]] = linalg.generic {{.*}} ins(%{{.+}} : tensor<16x4xbf16>) outs(%{{.+}} : tensor<16x4xf32>)
//       CHECK:     arith.extf
//       CHECK:   tensor.expand_shape %[[WIDE]]
func.func @narrow(%w: tensor<16x4xbf16>) -> tensor<4x8xi16> {
  %i = sparsam.select %w {structure = #sparsam.nm<2:4>} : (tensor<16x4xbf16>) -> tensor<4x8xi16>
  return %i : tensor<4x8xi16>
}

// -----

// CHECK-LABEL: func @narrow_factors
//       CHECK:   arith.extf
//       CHECK:   arith.truncf
//       CHECK:   arith.truncf
//       CHECK:   return %{{.+}}, %{{.+}} : tensor<16x2xbf16>, tensor<2x4xbf16>
func.func @narrow_factors(%w: tensor<16x4xbf16>) -> (tensor<16x2xbf16>, tensor<2x4xbf16>) {
  %u, %v = sparsam.factorize %w {structure = #sparsam.low_rank<2>} : (tensor<16x4xbf16>) -> (tensor<16x2xbf16>, tensor<2x4xbf16>)
  return %u, %v : tensor<16x2xbf16>, tensor<2x4xbf16>
}
