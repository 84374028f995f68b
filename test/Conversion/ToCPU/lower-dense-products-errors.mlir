// What is left to loops or takes the slow way says so.
// RUN: sparsam-opt %s --sparsam-lower-dense-products -split-input-file -verify-diagnostics \
// RUN:   | FileCheck %s

// CHECK-LABEL: func.func @half(
// CHECK:         linalg.matmul
func.func @half(%a: memref<8x16xf16>, %b: memref<16x4xf16>, %c: memref<8x4xf16>) {
  // expected-remark @+1 {{this product is left to loops: expected all f32 or all f64}}
  linalg.matmul ins(%a, %b : memref<8x16xf16>, memref<16x4xf16>) outs(%c : memref<8x4xf16>)
  return
}

// -----

// CHECK-LABEL: func.func @strided(
// CHECK:         call @sparsam_gemm_f32
func.func @strided(%a: memref<8x16xf32, strided<[64, 2]>>, %b: memref<16x4xf32>, %c: memref<8x4xf32>) {
  // expected-remark @+1 {{the strides of this product fit no BLAS call; its operands are copied}}
  linalg.matmul ins(%a, %b : memref<8x16xf32, strided<[64, 2]>>, memref<16x4xf32>) outs(%c : memref<8x4xf32>)
  return
}

// -----

// Dynamic shapes, and products that are none, are not this pass's: no remark.
// CHECK-LABEL: func.func @others(
// CHECK:         linalg.matmul
// CHECK:         linalg.generic
func.func @others(%a: memref<?x16xf32>, %b: memref<16x4xf32>, %c: memref<?x4xf32>, %d: memref<4x4xf32>) {
  linalg.matmul ins(%a, %b : memref<?x16xf32>, memref<16x4xf32>) outs(%c : memref<?x4xf32>)
  linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (k, n)>,
                       affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%b, %b : memref<16x4xf32>, memref<16x4xf32>) outs(%d : memref<4x4xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.maximumf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}
