// RUN: sparsam-opt %s -sparsam-to-sparse-tensor -sparsam-sparsify -split-input-file | FileCheck %s

// Serial loops over what is stored, in place: nothing is allocated, and nothing copied.
// CHECK-LABEL: func @step(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: memref<8x16xf32>, %[[DY:[a-z0-9]+]]: memref<8x4xf32>, %[[V:[a-z0-9]+]]: memref<16xf32>, %[[P:[a-z0-9]+]]: memref<5xi32>, %[[I:[a-z0-9]+]]: memref<16xi16>,
// CHECK-SAME:    %[[Y:[a-z0-9]+]]: memref<8x4xf32>, %[[DX:[a-z0-9]+]]: memref<8x16xf32>, %[[DV:[a-z0-9]+]]: memref<16xf32>
// CHECK:         linalg.fill {{.*}} outs(%[[Y]] :
// CHECK:         call @sparsam_sparse_tensor_spmm(%[[X]], %[[V]], %[[P]], %[[I]], %[[Y]])
// CHECK:         linalg.fill {{.*}} outs(%[[DX]] :
// CHECK:         call @sparsam_sparse_tensor_spmm_transposed(%[[DY]], %[[V]], %[[P]], %[[I]], %[[DX]])
// CHECK-NOT:     linalg.fill
// CHECK:         call @sparsam_sparse_tensor_sddmm(%[[X]], %[[DY]], %[[P]], %[[I]], %[[DV]]) : {{.*}} -> ()
// CHECK:         return{{$}}
//
// CHECK-LABEL: func private @sparsam_sparse_tensor_spmm(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: memref<8x16xf32>, {{.*}}, %[[Y:[a-z0-9]+]]: memref<8x4xf32>) attributes {no_inline}
// CHECK-NOT:     memref.alloc
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK:             scf.for {{.*}} iter_args
// CHECK:               memref.load %[[X]]
// CHECK:             memref.store %{{.+}}, %[[Y]]
// CHECK-NOT:     memref.copy
//
// CHECK-LABEL: func private @sparsam_sparse_tensor_spmm_transposed(
// CHECK-NOT:     memref.alloc
// CHECK-NOT:     memref.copy
//
// CHECK-LABEL: func private @sparsam_sparse_tensor_sddmm(
// CHECK-SAME:    %[[DV:[a-z0-9]+]]: memref<16xf32>) attributes {no_inline}
// CHECK-NOT:     memref.alloc
// CHECK:         %[[VALUES:.+]] = memref.subview %[[DV]]
// CHECK:         memref.store %{{.+}}, %[[VALUES]]
// CHECK-NOT:     memref.copy
// CHECK:         return{{$}}
// CHECK-NOT:   sparse_tensor
// CHECK-NOT:   scf.parallel
func.func @step(%x: memref<8x16xf32>, %dy: memref<8x4xf32>, %v: memref<16xf32>, %p: memref<5xi32>,
                %i: memref<16xi16>, %y: memref<8x4xf32>, %dx: memref<8x16xf32>, %dv: memref<16xf32>) {
  sparsam.spmm %x, %v, %p, %i into %y {structure = #sparsam.unstructured<density = 0.25>}
      : (memref<8x16xf32>, memref<16xf32>, memref<5xi32>, memref<16xi16>, memref<8x4xf32>) -> ()
  sparsam.spmm %dy, %v, %p, %i into %dx {structure = #sparsam.unstructured<density = 0.25>, transposed}
      : (memref<8x4xf32>, memref<16xf32>, memref<5xi32>, memref<16xi16>, memref<8x16xf32>) -> ()
  sparsam.sddmm %x, %dy on %p, %i into %dv {structure = #sparsam.unstructured<density = 0.25>}
      : (memref<8x16xf32>, memref<8x4xf32>, memref<5xi32>, memref<16xi16>, memref<16xf32>) -> ()
  return
}

// -----

// Dense code next to it is left alone.
// CHECK-LABEL: func @dense(
// CHECK:         linalg.matmul
// CHECK:         math.tanh
func.func @dense(%a: tensor<8x8xf32>, %b: tensor<8x8xf32>, %v: memref<4x8x1xf32>,
                 %i: memref<4x8xi16>, %x: memref<8x16xf32>, %y: memref<8x4xf32>) -> tensor<8x8xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<8x8xf32>, tensor<8x8xf32>) outs(%a : tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = math.tanh %0 : tensor<8x8xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>}
      : (memref<8x16xf32>, memref<4x8x1xf32>, memref<4x8xi16>, memref<8x4xf32>) -> ()
  return %1 : tensor<8x8xf32>
}

// -----

// A layer of a stacked parameter is read and written where it is.
// CHECK-LABEL: func @layer(
// CHECK-NOT:     memref.alloc
// CHECK-NOT:     memref.copy
// CHECK-LABEL: func private @sparsam_sparse_tensor_sddmm(
// CHECK-SAME:    %[[DV:[a-z0-9]+]]: memref<4x8x1xf32, strided<[8, 1, 1], offset: ?>>)
// CHECK:         memref.alloc() {{.*}} : memref<32xi16>
// CHECK-NOT:     memref.alloc
// CHECK:         %[[FLAT:.+]] = memref.collapse_shape %[[DV]]
// CHECK-SAME:      into memref<32xf32, strided<[1], offset: ?>>
// CHECK-NOT:     memref.copy
func.func @layer(%x: memref<8x16xf32>, %dy: memref<8x4xf32>, %i: memref<3x4x8xi16>,
                 %dv: memref<3x4x8x1xf32>, %l: index) {
  %il = memref.subview %i[%l, 0, 0] [1, 4, 8] [1, 1, 1]
      : memref<3x4x8xi16> to memref<4x8xi16, strided<[8, 1], offset: ?>>
  %dvl = memref.subview %dv[%l, 0, 0, 0] [1, 4, 8, 1] [1, 1, 1, 1]
      : memref<3x4x8x1xf32> to memref<4x8x1xf32, strided<[8, 1, 1], offset: ?>>
  sparsam.sddmm %x, %dy on %il into %dvl {structure = #sparsam.nm<2:4>}
      : (memref<8x16xf32>, memref<8x4xf32>, memref<4x8xi16, strided<[8, 1], offset: ?>>,
         memref<4x8x1xf32, strided<[8, 1, 1], offset: ?>>) -> ()
  return
}

// -----

// Named ops, which sparsification leaves alone, are spelled out first.
// CHECK-LABEL: func @named(
// CHECK-NOT:     linalg.matmul
// CHECK:         scf.for
#CSR = #sparse_tensor.encoding<{ map = (i, j) -> (i : dense, j : compressed), posWidth = 32, crdWidth = 32 }>
func.func @named(%p: memref<5xi32>, %c: memref<16xi32>, %v: memref<16xf32>, %b: memref<16x8xf32>, %y: memref<4x8xf32>) {
  %pt = bufferization.to_tensor %p restrict : memref<5xi32> to tensor<5xi32>
  %ct = bufferization.to_tensor %c restrict : memref<16xi32> to tensor<16xi32>
  %vt = bufferization.to_tensor %v restrict : memref<16xf32> to tensor<16xf32>
  %bt = bufferization.to_tensor %b restrict : memref<16x8xf32> to tensor<16x8xf32>
  %yt = bufferization.to_tensor %y restrict writable : memref<4x8xf32> to tensor<4x8xf32>
  %w = sparse_tensor.assemble (%pt, %ct), %vt : (tensor<5xi32>, tensor<16xi32>), tensor<16xf32> to tensor<4x16xf32, #CSR>
  %0 = linalg.matmul ins(%w, %bt : tensor<4x16xf32, #CSR>, tensor<16x8xf32>) outs(%yt : tensor<4x8xf32>) -> tensor<4x8xf32>
  bufferization.materialize_in_destination %0 in restrict writable %y : (tensor<4x8xf32>, memref<4x8xf32>) -> ()
  return
}
