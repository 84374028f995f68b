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

// -----

// A product that is to write over its destination starts from zero in loops: here one
// operand is summed alone over a dimension, which no call does.
// CHECK-LABEL: func.func @summedAlone(
// CHECK-SAME:      %{{.*}}: memref<3x9x21xf32>, %{{.*}}: memref<3x3xf32>, %[[OUT:.*]]: memref<21x3xf32>)
// CHECK:         %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK:         linalg.fill ins(%[[ZERO]] : f32) outs(%[[OUT]] : memref<21x3xf32>)
// CHECK:         linalg.generic
// CHECK-NOT:     sparsam.overwrite
func.func @summedAlone(%a: memref<3x9x21xf32>, %b: memref<3x3xf32>, %c: memref<21x3xf32>) {
  linalg.generic {
      indexing_maps = [affine_map<(k, r, b, s) -> (b, s, k)>, affine_map<(k, r, b, s) -> (r, b)>,
                       affine_map<(k, r, b, s) -> (k, r)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%a, %b : memref<3x9x21xf32>, memref<3x3xf32>) outs(%c : memref<21x3xf32>)
      attrs = {sparsam.overwrite} {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}
