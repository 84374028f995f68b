// What has no form in sparse_tensor stays, and the reason is a remark.
// RUN: sparsam-opt %s -sparsam-to-sparse-tensor -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @vnm
// CHECK:         sparsam.spmm
func.func @vnm(%x: tensor<8x16xf32>, %v: tensor<8x4xf32>, %c: tensor<2x8xi16>,
               %i: tensor<8x4xi16>, %y: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-remark @below {{does not become sparse_tensor: an N:M level of sparse_tensor is the last one and counts consecutive inputs; #sparsam.vnm<4, 2:8> counts the columns that outputs share}}
  %0 = sparsam.spmm %x, %v, %c, %i into %y {structure = #sparsam.vnm<4, 2:8>}
      : (tensor<8x16xf32>, tensor<8x4xf32>, tensor<2x8xi16>, tensor<8x4xi16>, tensor<8x8xf32>)
      -> tensor<8x8xf32>
  return %0 : tensor<8x8xf32>
}

// -----

// CHECK-LABEL: func @dynamic
// CHECK:         sparsam.sddmm
func.func @dynamic(%x: memref<?x16xf32>, %dy: memref<?x4xf32>, %i: memref<4x8xi16>,
                   %dv: memref<4x8x1xf32>) {
  // expected-remark @below {{does not become sparse_tensor: expected static shapes, found 'memref<?x16xf32>'}}
  sparsam.sddmm %x, %dy on %i into %dv {structure = #sparsam.nm<2:4>}
      : (memref<?x16xf32>, memref<?x4xf32>, memref<4x8xi16>, memref<4x8x1xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: func @strided
// CHECK:         %[[COPY:.+]] = memref.alloc() {{.*}} : memref<8x4xf32>
// CHECK:         call @sparsam_sparse_tensor_spmm(%{{.+}}, %[[COPY]])
// CHECK:         linalg.copy ins(%[[COPY]] :
func.func @strided(%x: memref<8x16xf32>, %v: memref<4x8x1xf32>, %i: memref<4x8xi16>,
                   %y: memref<8x4xf32, strided<[8, 1]>>) {
  // expected-remark @below {{copies operand 3, whose layout is strided<[8, 1]>}}
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>}
      : (memref<8x16xf32>, memref<4x8x1xf32>, memref<4x8xi16>,
         memref<8x4xf32, strided<[8, 1]>>) -> ()
  return
}
