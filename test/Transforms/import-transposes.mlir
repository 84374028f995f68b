// RUN: sparsam-opt %s --sparsam-import --split-input-file | FileCheck %s

// torch-mlir's filter of a convolution back to the input: the channels trade places, and the
// window is reversed.
// CHECK-LABEL: func.func @filter(
// CHECK-SAME:    %[[W:.+]]: tensor<12x8x3x1xf32>
// CHECK:         %[[T:.+]] = linalg.transpose ins(%[[W]] : tensor<12x8x3x1xf32>)
// CHECK-SAME:      permutation = [1, 0, 2, 3]
// CHECK:         linalg.generic
// CHECK-DAG:       %[[I:.+]] = linalg.index 0
// CHECK-DAG:       %[[O:.+]] = linalg.index 1
// CHECK-DAG:       %[[R:.+]] = arith.subi
// CHECK:           tensor.extract %[[T]][%[[I]], %[[O]], %[[R]], %{{.+}}] : tensor<8x12x3x1xf32>
func.func @filter(%w: tensor<12x8x3x1xf32>) -> tensor<8x12x3x1xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %init = tensor.empty() : tensor<8x12x3x1xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      outs(%init : tensor<8x12x3x1xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %o = linalg.index 1 : index
    %row = linalg.index 2 : index
    %reversed = arith.subi %c2, %row : index
    %read = tensor.extract %w[%o, %i, %reversed, %c0] : tensor<12x8x3x1xf32>
    linalg.yield %read : f32
  } -> tensor<8x12x3x1xf32>
  return %y : tensor<8x12x3x1xf32>
}

// -----

// In order already.
// CHECK-LABEL: func.func @reversed(
// CHECK-NOT:     linalg.transpose
// CHECK:         tensor.extract %{{.+}}[%{{.+}}, %{{.+}}] : tensor<3x4xf32>
func.func @reversed(%w: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %c3 = arith.constant 3 : index
  %init = tensor.empty() : tensor<3x4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>],
                       iterator_types = ["parallel", "parallel"]}
      outs(%init : tensor<3x4xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.subi %c3, %j : index
    %read = tensor.extract %w[%i, %k] : tensor<3x4xf32>
    linalg.yield %read : f32
  } -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

// Two dimensions follow one loop: a diagonal.
// CHECK-LABEL: func.func @diagonal(
// CHECK-NOT:     linalg.transpose
// CHECK:         tensor.extract %{{.+}}[%[[J:.+]], %[[J]]] : tensor<4x4xf32>
func.func @diagonal(%w: tensor<4x4xf32>) -> tensor<3x4xf32> {
  %init = tensor.empty() : tensor<3x4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>],
                       iterator_types = ["parallel", "parallel"]}
      outs(%init : tensor<3x4xf32>) {
  ^bb0(%out: f32):
    %j = linalg.index 1 : index
    %read = tensor.extract %w[%j, %j] : tensor<4x4xf32>
    linalg.yield %read : f32
  } -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}
