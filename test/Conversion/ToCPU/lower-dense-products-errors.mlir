// What is left to loops or takes the slow way says so.
// RUN: sparsam-opt %s --sparsam-lower-dense-products -split-input-file -verify-diagnostics \
// RUN:   | FileCheck %s

// Integers have no BLAS; from zero where the destination is to be written over.
// CHECK-LABEL: func.func @integers(
// CHECK-SAME:      %[[C:[^ ]*]]: memref<8x4xi32>)
// CHECK-NOT:     linalg.fill
// CHECK:         linalg.matmul
// CHECK:         %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK-NEXT:    linalg.fill ins(%[[ZERO]] : i32) outs(%[[C]] : memref<8x4xi32>)
// CHECK-NEXT:    linalg.matmul
// CHECK-NOT:     sparsam.overwrite
func.func @integers(%a: memref<8x16xi8>, %b: memref<16x4xi8>, %c: memref<8x4xi32>) {
  // expected-remark @+1 {{this product is left to loops: no BLAS call computes it}}
  linalg.matmul ins(%a, %b : memref<8x16xi8>, memref<16x4xi8>) outs(%c : memref<8x4xi32>)
  // expected-remark @+1 {{this product is left to loops: no BLAS call computes it}}
  linalg.matmul {sparsam.overwrite}
      ins(%a, %b : memref<8x16xi8>, memref<16x4xi8>) outs(%c : memref<8x4xi32>)
  return
}

// -----

// What is multiplied is a function of an operand, which no call computes.
// CHECK-LABEL: func.func @functions(
// CHECK-NOT:     sparsam_gemm
// CHECK:         math.exp
// CHECK:         math.tanh
// CHECK-NOT:     sparsam_gemm
func.func @functions(%a: memref<8x16xf32>, %b: memref<16x4xf32>, %c: memref<8x4xf32>,
                     %v: memref<16xf32>, %y: memref<8xf32>) {
  // expected-remark @+1 {{this product is left to loops: no BLAS call computes it}}
  linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                       affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<8x16xf32>, memref<16x4xf32>) outs(%c : memref<8x4xf32>) {
  ^bb0(%x: f32, %w: f32, %z: f32):
    %0 = math.exp %x : f32
    %1 = arith.mulf %0, %w : f32
    %2 = arith.addf %z, %1 : f32
    linalg.yield %2 : f32
  }
  linalg.generic {
      indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (k)>,
                       affine_map<(m, k) -> (m)>],
      iterator_types = ["parallel", "reduction"]}
      ins(%a, %v : memref<8x16xf32>, memref<16xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%x: f32, %w: f32, %z: f32):
    %0 = math.tanh %w : f32
    %1 = arith.mulf %x, %0 : f32
    %2 = arith.addf %z, %1 : f32
    linalg.yield %2 : f32
  }
  return
}

// -----

// No f32 holds what these hold.
// CHECK-LABEL: func.func @wide(
// CHECK:         linalg.fill
// CHECK-NEXT:    linalg.matmul
func.func @wide(%a: memref<8x16xf128>, %b: memref<16x4xf128>, %c: memref<8x4xf128>) {
  // expected-remark @+1 {{this product is left to loops: no BLAS call computes it}}
  linalg.matmul {sparsam.overwrite}
      ins(%a, %b : memref<8x16xf128>, memref<16x4xf128>) outs(%c : memref<8x4xf128>)
  return
}

// -----

func.func @complex(%a: memref<8x16xcomplex<f32>>, %b: memref<16x4xcomplex<f32>>,
                   %c: memref<8x4xcomplex<f32>>) {
  // expected-remark @+2 {{this product is left to loops: no BLAS call computes it}}
  // expected-error @+1 {{has sparsam.overwrite; expected a sum of products of integers or floats, found elements of 'complex<f32>'}}
  linalg.matmul {sparsam.overwrite}
      ins(%a, %b : memref<8x16xcomplex<f32>>, memref<16x4xcomplex<f32>>)
      outs(%c : memref<8x4xcomplex<f32>>)
  return
}

// -----

// A maximum does not start from zero.
func.func @maximum(%a: memref<8x16xf32>, %b: memref<8xf32>) {
  // expected-error @+1 {{has sparsam.overwrite; expected a sum of products of integers or floats, found elements of 'f32' and another payload}}
  linalg.reduce ins(%a : memref<8x16xf32>) outs(%b : memref<8xf32>) dimensions = [1] {sparsam.overwrite}
    (%x: f32, %y: f32) {
      %0 = arith.maximumf %x, %y : f32
      linalg.yield %0 : f32
    }
  return
}

// -----

// Tensors have no buffers yet: the op goes on meaning what it means.
// CHECK-LABEL: func.func @tensors(
// CHECK-NOT:     linalg.fill
// CHECK:         linalg.matmul {sparsam.overwrite}
func.func @tensors(%a: tensor<8x16xf32>, %b: tensor<16x4xf32>, %c: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %0 = linalg.matmul {sparsam.overwrite}
      ins(%a, %b : tensor<8x16xf32>, tensor<16x4xf32>) outs(%c : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %0 : tensor<8x4xf32>
}

// -----

// The smallest operand whose copy helps is copied.
// CHECK-LABEL: func.func @strided(
// CHECK:         %[[A:.*]] = memref.alloc() : memref<8x16xf32>
// CHECK-NOT:     memref.alloc
// CHECK:         linalg.generic {{.*}} outs(%[[A]]
// CHECK:         call @sparsam_gemm_f32
func.func @strided(%a: memref<8x16xf32, strided<[64, 2]>>, %b: memref<16x4xf32>, %c: memref<8x4xf32>) {
  // expected-remark @+1 {{the strides of this product fit no BLAS call; operand 0 is copied}}
  linalg.matmul ins(%a, %b : memref<8x16xf32, strided<[64, 2]>>, memref<16x4xf32>) outs(%c : memref<8x4xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @both_strided(
// CHECK:         call @sparsam_gemm_f32
func.func @both_strided(%a: memref<8x16xf32, strided<[64, 2]>>, %b: memref<16x4xf32, strided<[64, 2]>>, %c: memref<8x4xf32>) {
  // expected-remark @+1 {{the strides of this product fit no BLAS call; its operands are copied}}
  linalg.matmul ins(%a, %b : memref<8x16xf32, strided<[64, 2]>>, memref<16x4xf32, strided<[64, 2]>>) outs(%c : memref<8x4xf32>)
  return
}

// -----

// Dynamic shapes, and products that are none, are not this pass's: no remark. A
// product of unknown size starts from zero as any other.
// CHECK-LABEL: func.func @others(
// CHECK:         linalg.matmul
// CHECK:         linalg.fill ins(%{{.*}} : f32) outs(%{{.*}} : memref<?x4xf32>)
// CHECK-NEXT:    linalg.matmul
// CHECK:         linalg.generic
func.func @others(%a: memref<?x16xf32>, %b: memref<16x4xf32>, %c: memref<?x4xf32>, %d: memref<4x4xf32>) {
  linalg.matmul ins(%a, %b : memref<?x16xf32>, memref<16x4xf32>) outs(%c : memref<?x4xf32>)
  linalg.matmul {sparsam.overwrite}
      ins(%a, %b : memref<?x16xf32>, memref<16x4xf32>) outs(%c : memref<?x4xf32>)
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
  // expected-remark @+1 {{this product is left to loops: no BLAS call computes it}}
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
