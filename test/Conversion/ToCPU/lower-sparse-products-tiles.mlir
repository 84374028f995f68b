// REQUIRES: x86
// RUN: sparsam-opt %s -split-input-file -verify-diagnostics \
// RUN:   -sparsam-lower-sparse-products="cpu=x86-64-v3 l1-bytes=32768 l2-bytes=1048576 threads=2 tiles='%S/Inputs/tiles.json'" \
// RUN:   | FileCheck %s

// The forward product takes its sizes from the file. Of the transposed one the file says
// that the model's are the fastest; what it says of the gradient is of no use there.
// CHECK-LABEL: func @layer
// CHECK:         call @sparsam_spmm_nm_2_8_24_p4_t3_r64(
// CHECK:         call @sparsam_spmm_transposed_nm_2_8_16(
// CHECK:         call @sparsam_sddmm_nm_2_8_16(
func.func @layer(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %v: memref<4x32x8xf32>,
                 %i: memref<4x32xi16>, %y: memref<64x32xf32>, %dx: memref<64x128xf32>,
                 %dv: memref<4x32x8xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  sparsam.spmm %dy, %v, %i into %dx {structure = #sparsam.nm<2:8, vector = 8>, transposed}
      : (memref<64x32xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x128xf32>) -> ()
  // expected-remark-re @below {{sddmm of #sparsam.nm<2:8, vector = 8>, 64 x 128 x 32, has the model's tile sizes: with those in '{{.*}}tiles.json' it has blocks of 8 outputs, of which no more are in registers, found part = 12}}
  sparsam.sddmm %x, %dy on %i into %dv {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<64x32xf32>, memref<4x32xi16>, memref<4x32x8xf32>) -> ()
  return
}

// -----

// Another number of tokens is another product. It is remarked on once. The sizes that a
// product has of its own stay.
// CHECK-LABEL: func @others
// CHECK:         call @sparsam_spmm_nm_2_8_16(
// CHECK:         call @sparsam_spmm_nm_2_8_16(
// CHECK:         call @sparsam_spmm_nm_2_8_32_p2(
func.func @others(%x: memref<72x128xf32>, %x2: memref<64x128xf32>, %v: memref<4x32x8xf32>,
                  %i: memref<4x32xi16>, %y: memref<72x32xf32>, %y2: memref<64x32xf32>) {
  // expected-remark-re @below {{spmm of #sparsam.nm<2:8, vector = 8>, 72 x 128 x 32, has the model's tile sizes: it was not measured in '{{.*}}tiles.json' for x86-64-v3 and 2 threads}}
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<72x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<72x32xf32>) -> ()
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<72x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<72x32xf32>) -> ()
  sparsam.spmm %x2, %v, %i into %y2
      {structure = #sparsam.nm<2:8, vector = 8>, sparsam.tiles = {part = 2}}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  return
}
