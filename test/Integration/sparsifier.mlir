// What sparsam-to-sparse-tensor makes of products on tensors computes them, by upstream
// alone. The 2:4 matrix has (1, 2, 3, 4) of x = (1, 2, 5, 8) and (5, 6, 7, 8) of
// x = (3, 4, 6, 7): y = (52, 137), and the values of the gradient are x and 10 x.
// RUN: sparsam-opt %s -sparsam-to-sparse-tensor | mlir-opt --sparsifier="enable-runtime-library=false" -o %t.mlir
// RUN: mlir-runner %t.mlir -e forward -entry-point-result=f32 | FileCheck %s --check-prefix=FORWARD
// RUN: mlir-runner %t.mlir -e backward -entry-point-result=f32 | FileCheck %s --check-prefix=BACKWARD
// RUN: mlir-runner %t.mlir -e gradient -entry-point-result=f32 | FileCheck %s --check-prefix=GRADIENT

// 1000 * 137 + 52
// FORWARD: 1.370520e+05
func.func @forward() -> f32 {
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]]> : tensor<1x8xf32>
  %v = arith.constant dense<[[[1.0], [2.0], [3.0], [4.0]], [[5.0], [6.0], [7.0], [8.0]]]> : tensor<2x4x1xf32>
  %i = arith.constant dense<[[0, 1, 4, 7], [2, 3, 5, 6]]> : tensor<2x4xi16>
  %init = tensor.empty() : tensor<1x2xf32>
  %y = sparsam.spmm %x, %v, %i into %init {structure = #sparsam.nm<2:4>}
      : (tensor<1x8xf32>, tensor<2x4x1xf32>, tensor<2x4xi16>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %weights = arith.constant dense<[[1.0, 1000.0]]> : tensor<1x2xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %sum = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> ()>],
      iterator_types = ["reduction", "reduction"]}
      ins(%y, %weights : tensor<1x2xf32>, tensor<1x2xf32>) outs(%zero : tensor<f32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %s, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %r = tensor.extract %sum[] : tensor<f32>
  return %r : f32
}

// dx . x = dy . y = 52 + 10 * 137
// BACKWARD: 1.422000e+03
func.func @backward() -> f32 {
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]]> : tensor<1x8xf32>
  %dy = arith.constant dense<[[1.0, 10.0]]> : tensor<1x2xf32>
  %v = arith.constant dense<[[[1.0], [2.0], [3.0], [4.0]], [[5.0], [6.0], [7.0], [8.0]]]> : tensor<2x4x1xf32>
  %i = arith.constant dense<[[0, 1, 4, 7], [2, 3, 5, 6]]> : tensor<2x4xi16>
  %init = tensor.empty() : tensor<1x8xf32>
  %dx = sparsam.spmm %dy, %v, %i into %init {structure = #sparsam.nm<2:4>, transposed}
      : (tensor<1x2xf32>, tensor<2x4x1xf32>, tensor<2x4xi16>, tensor<1x8xf32>) -> tensor<1x8xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %sum = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> ()>],
      iterator_types = ["reduction", "reduction"]}
      ins(%dx, %x : tensor<1x8xf32>, tensor<1x8xf32>) outs(%zero : tensor<f32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %s, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %r = tensor.extract %sum[] : tensor<f32>
  return %r : f32
}

// (1, 2, 5, 8) . (1, 10, 100, 1000) + (30, 40, 60, 70) . (2, 3, 5, 7)
// GRADIENT: 9.491000e+03
func.func @gradient() -> f32 {
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]]> : tensor<1x8xf32>
  %dy = arith.constant dense<[[1.0, 10.0]]> : tensor<1x2xf32>
  %i = arith.constant dense<[[0, 1, 4, 7], [2, 3, 5, 6]]> : tensor<2x4xi16>
  %init = tensor.empty() : tensor<2x4x1xf32>
  %dv = sparsam.sddmm %x, %dy on %i into %init {structure = #sparsam.nm<2:4>}
      : (tensor<1x8xf32>, tensor<1x2xf32>, tensor<2x4xi16>, tensor<2x4x1xf32>) -> tensor<2x4x1xf32>
  %weights = arith.constant dense<[[[1.0], [10.0], [100.0], [1000.0]], [[2.0], [3.0], [5.0], [7.0]]]> : tensor<2x4x1xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %sum = linalg.generic {
      indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> ()>],
      iterator_types = ["reduction", "reduction", "reduction"]}
      ins(%dv, %weights : tensor<2x4x1xf32>, tensor<2x4x1xf32>) outs(%zero : tensor<f32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %s, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %r = tensor.extract %sum[] : tensor<f32>
  return %r : f32
}
