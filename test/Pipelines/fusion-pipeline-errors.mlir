// RUN: sparsam-opt %s --sparsam-fusion-pipeline | FileCheck %s

// What the pipeline cannot improve it hands on as it was: integers, complex numbers,
// unknown sizes, memrefs, functions without a body or with several blocks.

// A product of integers keeps adding to zeros, for nobody writes over them.
// CHECK-LABEL: func.func @integers(
// CHECK:         linalg.fill ins(%{{.*}} : i32)
// CHECK:         linalg.generic
// CHECK:           arith.muli
// CHECK-NOT:     sparsam.overwrite
// CHECK:         return
func.func @integers(%a: tensor<8x16xi32>, %b: tensor<16x4xi32>) -> tensor<8x4xi32> {
  %zero = arith.constant 0 : i32
  %0 = tensor.empty() : tensor<8x4xi32>
  %1 = linalg.fill ins(%zero : i32) outs(%0 : tensor<8x4xi32>) -> tensor<8x4xi32>
  %2 = linalg.matmul ins(%a, %b : tensor<8x16xi32>, tensor<16x4xi32>) outs(%1 : tensor<8x4xi32>) -> tensor<8x4xi32>
  return %2 : tensor<8x4xi32>
}

// So does one of complex numbers.
// CHECK-LABEL: func.func @complex(
// CHECK:         linalg.fill ins(%{{.*}} : complex<f32>)
// CHECK:         complex.mul
// CHECK-NOT:     sparsam.overwrite
// CHECK:         return
func.func @complex(%a: tensor<8x16xcomplex<f32>>, %b: tensor<16x4xcomplex<f32>>) -> tensor<8x4xcomplex<f32>> {
  %zero = complex.constant [0.0 : f32, 0.0 : f32] : complex<f32>
  %0 = tensor.empty() : tensor<8x4xcomplex<f32>>
  %1 = linalg.fill ins(%zero : complex<f32>) outs(%0 : tensor<8x4xcomplex<f32>>) -> tensor<8x4xcomplex<f32>>
  %2 = linalg.matmul ins(%a, %b : tensor<8x16xcomplex<f32>>, tensor<16x4xcomplex<f32>>)
      outs(%1 : tensor<8x4xcomplex<f32>>) -> tensor<8x4xcomplex<f32>>
  return %2 : tensor<8x4xcomplex<f32>>
}

// A product of unknown size has no destination of its own.
// CHECK-LABEL: func.func @dynamic(
// CHECK:         linalg.fill
// CHECK:         linalg.generic
// CHECK-NOT:     sparsam.overwrite
// CHECK:         return
func.func @dynamic(%a: tensor<?x16xf32>, %b: tensor<16x4xf32>, %n: index) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty(%n) : tensor<?x4xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = linalg.matmul ins(%a, %b : tensor<?x16xf32>, tensor<16x4xf32>) outs(%1 : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @memrefs(
// CHECK-NEXT:    linalg.exp
func.func @memrefs(%a: memref<4xf32>) {
  linalg.exp ins(%a : memref<4xf32>) outs(%a : memref<4xf32>)
  return
}

// CHECK-LABEL: func.func @unranked(
// CHECK-NEXT:    math.exp %{{.*}} : tensor<*xf32>
func.func @unranked(%a: tensor<*xf32>) -> tensor<*xf32> {
  %0 = math.exp %a : tensor<*xf32>
  return %0 : tensor<*xf32>
}

// CHECK-LABEL: func.func @blocks(
// CHECK:         cf.cond_br
// CHECK:         linalg.generic
// CHECK:           math.exp
func.func @blocks(%p: i1, %a: tensor<4xf32> {sparsam.updates = 0 : i64}) -> tensor<4xf32> {
  cf.cond_br %p, ^then, ^else
^then:
  %0 = linalg.exp ins(%a : tensor<4xf32>) outs(%a : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
^else:
  return %a : tensor<4xf32>
}

// CHECK-LABEL: func.func private @declared(tensor<4xf32>)
func.func private @declared(tensor<4xf32>)
