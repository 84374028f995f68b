// RUN: sparsam-opt %s --sparsam-generics-to-loops -split-input-file -verify-diagnostics

func.func @dynamic(%a: memref<?xf32>, %b: memref<?xf32>) {
  // expected-error @+1 {{has an operand of type 'memref<?xf32>'; expected memrefs of static shape and strides}}
  linalg.exp ins(%a : memref<?xf32>) outs(%b : memref<?xf32>)
  return
}

// -----

func.func @tensors(%a: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{has an operand of type 'tensor<4xf32>'; expected memrefs of static shape and strides}}
  %0 = linalg.exp ins(%a : tensor<4xf32>) outs(%a : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @not_joinable(%x: memref<100000xf32>, %sum: memref<f32>) {
  // expected-remark @+1 {{this reduction runs on few threads}}
  linalg.generic {
      indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>],
      iterator_types = ["reduction"]}
      ins(%x : memref<100000xf32>) outs(%sum : memref<f32>) {
  ^bb0(%v: f32, %acc: f32):
    %0 = arith.mulf %acc, %v : f32
    %1 = arith.addf %0, %v : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// Loops would add to what the buffer held before.
func.func @overwrite(%a: memref<8x16xf16>, %b: memref<16x4xf16>, %c: memref<8x4xf16>) {
  // expected-error @+1 {{'linalg.matmul' op has sparsam.overwrite, and loops add to what its destination holds; expected sparsam-lower-dense-products to run first}}
  linalg.matmul {sparsam.overwrite}
      ins(%a, %b : memref<8x16xf16>, memref<16x4xf16>) outs(%c : memref<8x4xf16>)
  return
}
