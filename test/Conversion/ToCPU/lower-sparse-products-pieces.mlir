// RUN: sparsam-opt %s -sparsam-lower-sparse-products="vector-bits=256 l2-bytes=1099511627776" -canonicalize -cse -split-input-file \
// RUN:   | FileCheck %s

// What a kernel adds up is on a thread's stack, in at most 1 MiB. A block of 65536
// outputs is four of a quarter each, which keep the same inputs and whose values lie
// beside each other.
// CHECK-LABEL: func private @sparsam_spmm_nm_2_4_by_4x16384_16_t2(
// CHECK-SAME:    %{{.*}}: memref<{{.*}}>, %[[V:.*]]: memref<1x4x65536xf32>, %{{.*}}: memref<1x4xi16>
// CHECK:         %[[VALUES:.*]] = memref.collapse_shape %[[V]]
// CHECK:         memref.alloca() {alignment = 64 : i64} : memref<16384x16xf32>
// CHECK:         arith.divui %[[BLOCK:arg[0-9]+]], %c4
// CHECK:         %[[FIRST:.*]] = arith.muli %{{.*}}, %c65536
// CHECK:         %[[NUMBER:.*]] = arith.remui %[[BLOCK]], %c4
// CHECK:         %[[OFFSET:.*]] = arith.muli %[[NUMBER]], %c16384
// CHECK:         arith.addi %[[FIRST]], %[[OFFSET]]
// CHECK:         memref.load %[[VALUES]]
func.func @outputs(%x: memref<5x8xf32>, %v: memref<1x4x65536xf32>, %i: memref<1x4xi16>,
                   %y: memref<5x65536xf32>) {
  sparsam.spmm %x, %v, %i into %y
      {structure = #sparsam.nm<2:4, vector = 65536>, sparsam.tiles = {token_vectors = 2}}
      : (memref<5x8xf32>, memref<1x4x65536xf32>, memref<1x4xi16>, memref<5x65536xf32>) -> ()
  return
}

// -----

// A row of blocks of 65536 inputs is gone through in ranges of some of them.
// CHECK-LABEL: func private @sparsam_spmm_transposed_block_65536_by_16384x8_16(
// CHECK:         memref.alloca() {alignment = 64 : i64} : memref<16384x16xf32>
func.func @inputs(%dy: memref<5x8xf32>, %v: memref<1x1x65536x8xf32>, %i: memref<1x1xi16>,
                  %dx: memref<5x131072xf32>) {
  sparsam.spmm %dy, %v, %i into %dx
      {structure = #sparsam.block<65536x8, density = 0.5>, transposed}
      : (memref<5x8xf32>, memref<1x1x65536x8xf32>, memref<1x1xi16>, memref<5x131072xf32>) -> ()
  return
}

// -----

// The gradient has its sums in registers: it needs no pieces.
// CHECK-LABEL: func private @sparsam_sddmm_nm_2_4_16(
// CHECK-NOT:     memref.alloca
func.func @gradient(%x: memref<5x8xf32>, %dy: memref<5x65536xf32>, %i: memref<1x4xi16>,
                    %v: memref<1x4x65536xf32>) {
  sparsam.sddmm %x, %dy on %i into %v {structure = #sparsam.nm<2:4, vector = 65536>}
      : (memref<5x8xf32>, memref<5x65536xf32>, memref<1x4xi16>, memref<1x4x65536xf32>) -> ()
  return
}

// -----

// However large a cache is, the stack is not.
// CHECK-LABEL: func private @sparsam_spmm_transposed_nm_1_16_32(
// CHECK:         memref.alloca() {alignment = 64 : i64} : memref<8192x32xf32>
func.func @caches(%dy: memref<500x2xf32>, %v: memref<1x8192x2xf32>, %i: memref<1x8192xi32>,
                  %dx: memref<500x131072xf32>) {
  sparsam.spmm %dy, %v, %i into %dx {structure = #sparsam.nm<1:16, vector = 2>, transposed}
      : (memref<500x2xf32>, memref<1x8192x2xf32>, memref<1x8192xi32>, memref<500x131072xf32>) -> ()
  return
}
