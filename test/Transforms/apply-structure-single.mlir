// RUN: sparsam-opt %s --sparsam-apply-structure="structures={*=low_rank<1>}" --split-input-file | FileCheck %s

// A parameter with one output is summed over all of its dimensions, as a vector is; that
// of size 1 is the output.

// CHECK-LABEL: func.func @column(
//  CHECK-SAME:   tensor<16x1xf32, #sparsam.low_rank<1>>
func.func @column(%w: tensor<16x1xf32> {sparsam.param = "w"}, %x: tensor<5x16xf32>) -> tensor<5xf32> {
  %zero = arith.constant dense<0.0> : tensor<5xf32>
  %v = tensor.collapse_shape %w [[0, 1]] : tensor<16x1xf32> into tensor<16xf32>
  %y = linalg.matvec ins(%x, %v : tensor<5x16xf32>, tensor<16xf32>) outs(%zero : tensor<5xf32>) -> tensor<5xf32>
  return %y : tensor<5xf32>
}

// -----

// CHECK-LABEL: func.func @row(
//  CHECK-SAME:   tensor<1x16xf32, #sparsam.low_rank<1, in = [1]>>
func.func @row(%w: tensor<1x16xf32> {sparsam.param = "w"}, %x: tensor<5x16xf32>) -> tensor<5xf32> {
  %zero = arith.constant dense<0.0> : tensor<5xf32>
  %v = tensor.collapse_shape %w [[0, 1]] : tensor<1x16xf32> into tensor<16xf32>
  %y = linalg.matvec ins(%x, %v : tensor<5x16xf32>, tensor<16xf32>) outs(%zero : tensor<5xf32>) -> tensor<5xf32>
  return %y : tensor<5xf32>
}

// -----

// Of many dimensions too, and beside one that is an output anyway nothing changes.

// CHECK-LABEL: func.func @heads(
//  CHECK-SAME:   tensor<4x4x1xf32, #sparsam.low_rank<1, in = [0, 1]>>
//  CHECK-SAME:   tensor<16x1x2xf32, #sparsam.low_rank<1, in = [0, 1]>>
func.func @heads(%w: tensor<4x4x1xf32> {sparsam.param = "w"}, %u: tensor<16x1x2xf32> {sparsam.param = "u"},
                 %x: tensor<5x16xf32>) -> (tensor<5xf32>, tensor<5x2xf32>) {
  %zero = arith.constant dense<0.0> : tensor<5xf32>
  %zero2 = arith.constant dense<0.0> : tensor<5x2xf32>
  %v = tensor.collapse_shape %w [[0, 1, 2]] : tensor<4x4x1xf32> into tensor<16xf32>
  %y = linalg.matvec ins(%x, %v : tensor<5x16xf32>, tensor<16xf32>) outs(%zero : tensor<5xf32>) -> tensor<5xf32>
  %m = tensor.collapse_shape %u [[0, 1], [2]] : tensor<16x1x2xf32> into tensor<16x2xf32>
  %z = linalg.matmul ins(%x, %m : tensor<5x16xf32>, tensor<16x2xf32>) outs(%zero2 : tensor<5x2xf32>) -> tensor<5x2xf32>
  return %y, %z : tensor<5xf32>, tensor<5x2xf32>
}

// -----

// One of a stack.

// CHECK-LABEL: func.func @stacked(
//  CHECK-SAME:   tensor<3x16x1xf32, #sparsam.low_rank<1, stack = [0]>>
func.func @stacked(%w: tensor<3x16x1xf32> {sparsam.param = "w"}, %x: tensor<3x5x16xf32>) -> tensor<3x5xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x5xf32>
  %v = tensor.collapse_shape %w [[0], [1, 2]] : tensor<3x16x1xf32> into tensor<3x16xf32>
  %y = linalg.batch_matvec ins(%x, %v : tensor<3x5x16xf32>, tensor<3x16xf32>) outs(%zero : tensor<3x5xf32>) -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}

// -----

// Of size 1 throughout, the first dimension is the input.

// CHECK-LABEL: func.func @number(
//  CHECK-SAME:   tensor<1x1xf32, #sparsam.low_rank<1>>
func.func @number(%w: tensor<1x1xf32> {sparsam.param = "w"}, %x: tensor<5x1xf32>) -> tensor<5xf32> {
  %zero = arith.constant dense<0.0> : tensor<5xf32>
  %v = tensor.collapse_shape %w [[0, 1]] : tensor<1x1xf32> into tensor<1xf32>
  %y = linalg.matvec ins(%x, %v : tensor<5x1xf32>, tensor<1xf32>) outs(%zero : tensor<5xf32>) -> tensor<5xf32>
  return %y : tensor<5xf32>
}
