// RUN: sparsam-opt %s -sparsam-to-sparse-tensor -split-input-file | FileCheck %s

// Another compiler takes it from there.
// RUN: sparsam-opt %s -sparsam-to-sparse-tensor -split-input-file \
// RUN:   | mlir-opt -split-input-file --sparsifier="enable-runtime-library=false" -o /dev/null

// A product becomes the call of a function that knows nothing of Sparsam.
// CHECK:       #[[CSR:[a-z0-9]+]] = #sparse_tensor.encoding<{ map = (d0, d1) -> (d0 : dense, d1 : compressed), posWidth = 32, crdWidth = 16 }>
// CHECK-LABEL: func @forward(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<8x16xf32>, %[[V:[a-z0-9]+]]: tensor<16xf32>, %[[P:[a-z0-9]+]]: tensor<5xi32>, %[[I:[a-z0-9]+]]: tensor<16xi16>, %[[INIT:[a-z0-9]+]]: tensor<8x4xf32>
// CHECK:         %[[ZEROS:.+]] = linalg.fill ins(%{{.+}} : f32) outs(%[[INIT]] : tensor<8x4xf32>)
// CHECK:         %[[Y:.+]] = call @sparsam_sparse_tensor_spmm(%[[X]], %[[V]], %[[P]], %[[I]], %[[ZEROS]])
// CHECK:         return %[[Y]]
// CHECK-LABEL: func private @sparsam_sparse_tensor_spmm(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<8x16xf32>, %[[V:[a-z0-9]+]]: tensor<16xf32>, %[[P:[a-z0-9]+]]: tensor<5xi32>, %[[I:[a-z0-9]+]]: tensor<16xi16>, %[[OUT:[a-z0-9]+]]: tensor<8x4xf32>
// CHECK-SAME:    attributes {no_inline}
// CHECK:         %[[W:.+]] = sparse_tensor.assemble (%[[P]], %[[I]]), %[[V]] : (tensor<5xi32>, tensor<16xi16>), tensor<16xf32> to tensor<4x16xf32, #[[CSR]]>
// CHECK:         %[[Y:.+]] = linalg.generic
// CHECK-SAME:      iterator_types = ["parallel", "parallel", "reduction"]
// CHECK-SAME:      ins(%[[X]], %[[W]] : tensor<8x16xf32>, tensor<4x16xf32, #[[CSR]]>) outs(%[[OUT]] : tensor<8x4xf32>)
// CHECK:         return %[[Y]]
func.func @forward(%x: tensor<8x16xf32>, %v: tensor<16xf32>, %p: tensor<5xi32>,
                   %i: tensor<16xi16>, %init: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %y = sparsam.spmm %x, %v, %p, %i into %init {structure = #sparsam.unstructured<density = 0.25>}
      : (tensor<8x16xf32>, tensor<16xf32>, tensor<5xi32>, tensor<16xi16>, tensor<8x4xf32>)
      -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

// Products of one structure, kind and shape share a function; the transposed use is
// another one over the same tensor.
// CHECK-LABEL: func @shared(
// CHECK:         call @sparsam_sparse_tensor_spmm(
// CHECK:         call @sparsam_sparse_tensor_spmm(
// CHECK:         call @sparsam_sparse_tensor_spmm_transposed(
// CHECK:       func private @sparsam_sparse_tensor_spmm(
// CHECK:       func private @sparsam_sparse_tensor_spmm_transposed(
// CHECK:         linalg.generic
// CHECK-SAME:      iterator_types = ["parallel", "reduction", "parallel"]
// CHECK-NOT:   func private
func.func @shared(%x: tensor<8x16xf32>, %v: tensor<16xf32>, %p: tensor<5xi32>,
                  %i: tensor<16xi16>, %init: tensor<8x4xf32>, %dx_init: tensor<8x16xf32>)
    -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x16xf32>) {
  %y = sparsam.spmm %x, %v, %p, %i into %init {structure = #sparsam.unstructured<density = 0.25>}
      : (tensor<8x16xf32>, tensor<16xf32>, tensor<5xi32>, tensor<16xi16>, tensor<8x4xf32>)
      -> tensor<8x4xf32>
  %z = sparsam.spmm %x, %v, %p, %i into %y {structure = #sparsam.unstructured<density = 0.25>}
      : (tensor<8x16xf32>, tensor<16xf32>, tensor<5xi32>, tensor<16xi16>, tensor<8x4xf32>)
      -> tensor<8x4xf32>
  %dx = sparsam.spmm %z, %v, %p, %i into %dx_init
      {structure = #sparsam.unstructured<density = 0.25>, transposed}
      : (tensor<8x4xf32>, tensor<16xf32>, tensor<5xi32>, tensor<16xi16>, tensor<8x16xf32>)
      -> tensor<8x16xf32>
  return %y, %z, %dx : tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x16xf32>
}

// -----

// The gradient is sampled where the values are stored. N:M is a level of its own, with
// coordinates in each group; K, which is cut into groups, comes after N.
// CHECK:       #[[NM:[a-z0-9]+]] = #sparse_tensor.encoding<{ map = (d0, d1) -> (d0 : dense, d1 floordiv 4 : dense, d1 mod 4 : structured[2, 4]), crdWidth = 16 }>
// CHECK-LABEL: func @gradient(
// CHECK-NOT:     linalg.fill
// CHECK:         call @sparsam_sparse_tensor_sddmm(
// CHECK-LABEL: func private @sparsam_sparse_tensor_sddmm(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<8x16xf32>, %[[DY:[a-z0-9]+]]: tensor<8x4xf32>, %[[I:[a-z0-9]+]]: tensor<4x8xi16>, %[[INIT:[a-z0-9]+]]: tensor<4x8x1xf32>
// CHECK:         %[[FLAT:.+]] = tensor.collapse_shape %[[I]]
// CHECK:         %[[WITHIN:.+]] = linalg.generic {{.*}} ins(%[[FLAT]] : tensor<32xi16>)
// CHECK:           arith.remui
// CHECK:         %[[V:.+]] = tensor.collapse_shape %[[INIT]]
// CHECK:         %[[W:.+]] = sparse_tensor.assemble (%[[WITHIN]]), %[[V]] {{.*}} to tensor<4x16xf32, #[[NM]]>
// CHECK:         linalg.generic {{.*}} ins(%[[X]], %[[DY]] : {{.*}}) outs(%[[W]] :
// CHECK:           sparse_tensor.unary
// CHECK:           sparse_tensor.reduce
// CHECK:         sparse_tensor.values
func.func @gradient(%x: tensor<8x16xf32>, %dy: tensor<8x4xf32>, %i: tensor<4x8xi16>,
                    %init: tensor<4x8x1xf32>) -> tensor<4x8x1xf32> {
  %dv = sparsam.sddmm %x, %dy on %i into %init {structure = #sparsam.nm<2:4>}
      : (tensor<8x16xf32>, tensor<8x4xf32>, tensor<4x8xi16>, tensor<4x8x1xf32>)
      -> tensor<4x8x1xf32>
  return %dv : tensor<4x8x1xf32>
}

// -----

// Outputs that share their inputs are blocks of one input.
// CHECK:       #[[BSR:[a-z0-9]+]] = #sparse_tensor.encoding<{ map = (d0, d1) -> (d1 floordiv 2 : dense, d0 : compressed, d1 mod 2 : dense), posWidth = 32, crdWidth = 16 }>
// CHECK-LABEL: func @nm_of_vectors(
// CHECK:       func private @sparsam_sparse_tensor_spmm(
// CHECK:         %[[P:.+]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<3xi32>)
// CHECK:           linalg.index 0
// CHECK:         sparse_tensor.assemble (%[[P]], %{{.+}}), %{{.+}} to tensor<16x4xf64, #[[BSR]]>
func.func @nm_of_vectors(%x: tensor<8x16xf64>, %v: tensor<2x8x2xf64>, %i: tensor<2x8xi16>,
                         %init: tensor<8x4xf64>) -> tensor<8x4xf64> {
  %y = sparsam.spmm %x, %v, %i into %init {structure = #sparsam.nm<2:4, vector = 2>}
      : (tensor<8x16xf64>, tensor<2x8x2xf64>, tensor<2x8xi16>, tensor<8x4xf64>)
      -> tensor<8x4xf64>
  return %y : tensor<8x4xf64>
}

// -----

// Blocks that are cut along both dimensions, along one, and along none.
// CHECK-DAG:   = #sparse_tensor.encoding<{ map = (d0, d1) -> (d0 floordiv 2 : dense, d1 floordiv 4 : compressed, d1 mod 4 : dense, d0 mod 2 : dense), posWidth = 32, crdWidth = 16 }>
// CHECK-DAG:   = #sparse_tensor.encoding<{ map = (d0, d1) -> (d0 : dense, d1 floordiv 4 : compressed, d1 mod 4 : dense), posWidth = 32, crdWidth = 16 }>
// CHECK-DAG:   = #sparse_tensor.encoding<{ map = (d0, d1) -> (d0 : dense, d1 : compressed), posWidth = 32, crdWidth = 16 }>
// CHECK-LABEL: func @block(
func.func @block(%x: tensor<8x16xf32>, %v: tensor<2x1x4x2xf32>, %i: tensor<2x1xi16>,
                 %v1: tensor<4x1x4x1xf32>, %i1: tensor<4x1xi16>, %v2: tensor<4x4x1x1xf32>,
                 %i2: tensor<4x4xi16>, %init: tensor<8x4xf32>)
    -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>) {
  %y = sparsam.spmm %x, %v, %i into %init {structure = #sparsam.block<4x2, density = 0.25>}
      : (tensor<8x16xf32>, tensor<2x1x4x2xf32>, tensor<2x1xi16>, tensor<8x4xf32>)
      -> tensor<8x4xf32>
  %y1 = sparsam.spmm %x, %v1, %i1 into %init {structure = #sparsam.block<4x1, density = 0.25>}
      : (tensor<8x16xf32>, tensor<4x1x4x1xf32>, tensor<4x1xi16>, tensor<8x4xf32>)
      -> tensor<8x4xf32>
  %y2 = sparsam.spmm %x, %v2, %i2 into %init {structure = #sparsam.block<1x1, density = 0.25>}
      : (tensor<8x16xf32>, tensor<4x4x1x1xf32>, tensor<4x4xi16>, tensor<8x4xf32>)
      -> tensor<8x4xf32>
  return %y, %y1, %y2 : tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>
}

// -----

// Of nothing that is stored there is nothing to compute.
// CHECK-LABEL: func @empty(
// CHECK-SAME:    %[[INIT:[a-z0-9]+]]: tensor<8x4xf32>, %[[DV:[a-z0-9]+]]: tensor<0xf32>)
// CHECK:         %[[ZEROS:.+]] = linalg.fill {{.*}} outs(%[[INIT]] :
// CHECK-NOT:     call
// CHECK:         return %[[ZEROS]], %[[DV]]
// CHECK-NOT:   func
func.func @empty(%x: tensor<8x16xf32>, %dy: tensor<8x4xf32>, %v: tensor<0xf32>, %p: tensor<5xi32>,
                 %i: tensor<0xi16>, %init: tensor<8x4xf32>, %dv_init: tensor<0xf32>)
    -> (tensor<8x4xf32>, tensor<0xf32>) {
  %y = sparsam.spmm %x, %v, %p, %i into %init {structure = #sparsam.unstructured<density = 0.0>}
      : (tensor<8x16xf32>, tensor<0xf32>, tensor<5xi32>, tensor<0xi16>, tensor<8x4xf32>)
      -> tensor<8x4xf32>
  %dv = sparsam.sddmm %x, %dy on %p, %i into %dv_init {structure = #sparsam.unstructured<density = 0.0>}
      : (tensor<8x16xf32>, tensor<8x4xf32>, tensor<5xi32>, tensor<0xi16>, tensor<0xf32>)
      -> tensor<0xf32>
  return %y, %dv : tensor<8x4xf32>, tensor<0xf32>
}
