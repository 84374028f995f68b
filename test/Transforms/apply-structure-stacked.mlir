// RUN: sparsam-opt %s --sparsam-apply-structure --split-input-file | FileCheck %s

// A loop over layers takes a slice of a stacked parameter at a time: `stack` and `in` are
// found from it, and what the text names of them stays.
// CHECK-LABEL: func @loop(
//  CHECK-SAME:     tensor<3x16x16xf32, #sparsam.nm<2:4, stack = [0]>>
//  CHECK-SAME:     tensor<16x3x16xf32, #sparsam.nm<2:4, in = [2], stack = [1]>>
//  CHECK-SAME:     tensor<3x16x16xf32, #sparsam.nm<2:4, in = [2], stack = [0]>>
//  CHECK-SAME:     tensor<3x16x16xf32, #sparsam.low_rank<2, in = [0, 1]>>
func.func @loop(%fc: tensor<3x16x16xf32> {sparsam.param = "fc", sparsam.structure = #sparsam.nm<2:4>},
                %out: tensor<16x3x16xf32> {sparsam.param = "out", sparsam.structure = #sparsam.nm<2:4>},
                %in: tensor<3x16x16xf32> {sparsam.param = "in", sparsam.structure = #sparsam.nm<2:4, in = [2]>},
                %all: tensor<3x16x16xf32> {sparsam.param = "all", sparsam.structure = #sparsam.low_rank<2, in = [0, 1]>},
                %x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x16xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %y = scf.for %l = %c0 to %c3 step %c1 iter_args(%h = %x) -> tensor<8x16xf32> {
    // The first use in program order, before one that contracts the other way.
    %s0 = tensor.extract_slice %fc[%l, 0, 0] [1, 16, 16] [1, 1, 1]
        : tensor<3x16x16xf32> to tensor<1x16x16xf32>
    %w0 = tensor.collapse_shape %s0 [[0, 1], [2]] : tensor<1x16x16xf32> into tensor<16x16xf32>
    %h0 = linalg.matmul ins(%h, %w0 : tensor<8x16xf32>, tensor<16x16xf32>)
        outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32>
    %t0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                                         affine_map<(m, n, k) -> (n, k)>,
                                         affine_map<(m, n, k) -> (m, n)>]
        ins(%h0, %w0 : tensor<8x16xf32>, tensor<16x16xf32>)
        outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32>
    // A slice without the stacked dimension, which is not the first.
    %w1 = tensor.extract_slice %out[0, %l, 0] [16, 1, 16] [1, 1, 1]
        : tensor<16x3x16xf32> to tensor<16x16xf32>
    %h1 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                                         affine_map<(m, n, k) -> (n, k)>,
                                         affine_map<(m, n, k) -> (m, n)>]
        ins(%t0, %w1 : tensor<8x16xf32>, tensor<16x16xf32>)
        outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32>
    %w2 = tensor.extract_slice %in[%l, 0, 0] [1, 16, 16] [1, 1, 1]
        : tensor<3x16x16xf32> to tensor<16x16xf32>
    %h2 = linalg.matmul ins(%h1, %w2 : tensor<8x16xf32>, tensor<16x16xf32>)
        outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32>
    %w3 = tensor.extract_slice %all[%l, 0, 0] [1, 16, 16] [1, 1, 1]
        : tensor<3x16x16xf32> to tensor<16x16xf32>
    %h3 = linalg.matmul ins(%h2, %w3 : tensor<8x16xf32>, tensor<16x16xf32>)
        outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32>
    scf.yield %h3 : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}

// -----

// What a product has in common with its other operand and keeps is stacked: experts, each
// with a matrix of its own.
// CHECK-LABEL: func @experts(
//  CHECK-SAME:     tensor<3x16x4xf32, #sparsam.nm<2:4, stack = [0]>>
func.func @experts(%w: tensor<3x16x4xf32> {sparsam.param = "w", sparsam.structure = #sparsam.nm<2:4>},
                   %x: tensor<3x8x16xf32>) -> tensor<3x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x8x4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<3x8x4xf32>) -> tensor<3x8x4xf32>
  %y = linalg.batch_matmul ins(%x, %w : tensor<3x8x16xf32>, tensor<3x16x4xf32>)
      outs(%z : tensor<3x8x4xf32>) -> tensor<3x8x4xf32>
  return %y : tensor<3x8x4xf32>
}
