// RUN: sparsam-opt %s --sparsam-apply-structure="structures={w=nm<2:4>}" --split-input-file | FileCheck %s

// What a product in half precision contracts, it contracts whatever it is summed in.

// CHECK-LABEL: func.func @linear(
//  CHECK-SAME:   tensor<8x16xbf16, #sparsam.nm<2:4, in = [1]>>
func.func @linear(%w: tensor<8x16xbf16> {sparsam.param = "w"}, %x: tensor<5x16xbf16>) -> tensor<5x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x8xbf16>
  %t = linalg.transpose ins(%w : tensor<8x16xbf16>) outs(%e : tensor<16x8xbf16>) permutation = [1, 0]
  %i = tensor.empty() : tensor<5x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%i : tensor<5x8xf32>) -> tensor<5x8xf32>
  %y = linalg.matmul ins(%x, %t : tensor<5x16xbf16>, tensor<16x8xbf16>)
      outs(%f : tensor<5x8xf32>) -> tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}

// -----

// CHECK-LABEL: func.func @convolution(
//  CHECK-SAME:   tensor<8x4x3x3xf16, #sparsam.nm<2:4, in = [1, 2, 3]>>
func.func @convolution(%w: tensor<8x4x3x3xf16> {sparsam.param = "w"}, %x: tensor<2x4x7x7xf16>) -> tensor<2x8x5x5xf32> {
  %zero = arith.constant 0.0 : f32
  %i = tensor.empty() : tensor<2x8x5x5xf32>
  %f = linalg.fill ins(%zero : f32) outs(%i : tensor<2x8x5x5xf32>) -> tensor<2x8x5x5xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<2x4x7x7xf16>, tensor<8x4x3x3xf16>)
      outs(%f : tensor<2x8x5x5xf32>) -> tensor<2x8x5x5xf32>
  return %y : tensor<2x8x5x5xf32>
}
