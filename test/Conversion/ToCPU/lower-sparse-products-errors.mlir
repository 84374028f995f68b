// RUN: sparsam-opt %s -sparsam-lower-sparse-products -split-input-file -verify-diagnostics
// RUN: not sparsam-opt %s -sparsam-lower-sparse-products="vector-bits=384" -split-input-file 2>&1 \
// RUN:   | FileCheck %s
// CHECK: error: vector-bits is a power of two of at least 128, or 0 for the CPU's; found 384
// RUN: not sparsam-opt %s -sparsam-lower-sparse-products="l2-bytes=-1" -split-input-file 2>&1 \
// RUN:   | FileCheck %s --check-prefix=CACHE
// CACHE: error: l1-bytes and l2-bytes are sizes of caches, or 0 for the CPU's; found -1
// RUN: not sparsam-opt %s -sparsam-lower-sparse-products="cpu=i9" -split-input-file 2>&1 \
// RUN:   | FileCheck %s --check-prefix=CPU
// CPU: error: there is no CPU 'i9'; some that there are: host, {{.*}}generic

func.func @tensors(%x: tensor<64x128xf32>, %v: tensor<4x32x8xf32>, %i: tensor<4x32xi16>,
                   %y: tensor<64x32xf32>) -> tensor<64x32xf32> {
  // expected-error @below {{is not on memrefs; expected it after bufferization, found 'tensor<64x128xf32>'}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (tensor<64x128xf32>, tensor<4x32x8xf32>, tensor<4x32xi16>, tensor<64x32xf32>)
      -> tensor<64x32xf32>
  return %0 : tensor<64x32xf32>
}

// -----

func.func @dynamic(%x: memref<?x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                   %y: memref<?x32xf32>) {
  // expected-error @below {{needs static shapes, found 'memref<?x128xf32>'}}
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<?x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<?x32xf32>) -> ()
  return
}

// -----

func.func @strided(%x: memref<64x128xf32, strided<[256, 1]>>, %v: memref<4x32x8xf32>,
                   %i: memref<4x32xi16>, %y: memref<64x32xf32>) {
  // expected-remark @below {{copies operand 0, whose layout is strided<[256, 1]>}}
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32, strided<[256, 1]>>, memref<4x32x8xf32>, memref<4x32xi16>,
         memref<64x32xf32>) -> ()
  return
}
