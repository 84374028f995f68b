// RUN: sparsam-opt %s --sparsam-fold-reshapes -split-input-file -verify-diagnostics | FileCheck %s

// What the pass does not know passes through: a reshape between a product and a slice,
// memrefs, and a reshape that no loop can take over.

// CHECK-LABEL: func.func @slice(
// CHECK: tensor.extract_slice
// CHECK-NEXT: tensor.expand_shape
func.func @slice(%x: tensor<4x24xf32>) -> tensor<4x2x4xf32> {
  %0 = tensor.extract_slice %x[0, 8] [4, 8] [1, 1] : tensor<4x24xf32> to tensor<4x8xf32>
  %1 = tensor.expand_shape %0 [[0], [1, 2]] output_shape [4, 2, 4]
      : tensor<4x8xf32> into tensor<4x2x4xf32>
  return %1 : tensor<4x2x4xf32>
}

// CHECK-LABEL: func.func @memrefs(
// CHECK: linalg.matmul
func.func @memrefs(%a: memref<4x4xf32>, %b: memref<4x4xf32>, %c: memref<4x4xf32>) {
  linalg.matmul ins(%a, %b : memref<4x4xf32>, memref<4x4xf32>) outs(%c : memref<4x4xf32>)
  return
}

// The slice does not start at a row of the other's inner dimension.

// CHECK-LABEL: func.func @cut(
// CHECK: %[[C:.*]] = tensor.collapse_shape
// CHECK: tensor.insert_slice %[[C]] into
func.func @cut(%a: tensor<4x2x4xf32>, %into: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %0 = tensor.collapse_shape %a [[0], [1, 2]] : tensor<4x2x4xf32> into tensor<4x8xf32>
  %1 = tensor.insert_slice %0 into %into[0, 2] [4, 8] [1, 1]
      : tensor<4x8xf32> into tensor<4x16xf32>
  return %1 : tensor<4x16xf32>
}

// Reshapes that add and drop unit dimensions stay: folded, they would chase each other
// through the op for ever.

// CHECK-LABEL: func.func @units(
// CHECK: tensor.expand_shape
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel"]
// CHECK: tensor.collapse_shape
#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
func.func @units(%x: tensor<5x12xi32>) -> (tensor<5x12xi32>, tensor<5x1x12xi32>) {
  %0 = tensor.expand_shape %x [[0], [1, 2]] output_shape [5, 12, 1]
      : tensor<5x12xi32> into tensor<5x12x1xi32>
  %1 = tensor.empty() : tensor<5x12x1xi32>
  %2 = linalg.generic {indexing_maps = [#id3, #id3],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0 : tensor<5x12x1xi32>) outs(%1 : tensor<5x12x1xi32>) {
  ^bb0(%a: i32, %out: i32):
    %b = arith.addi %a, %a : i32
    linalg.yield %b : i32
  } -> tensor<5x12x1xi32>
  %3 = tensor.collapse_shape %2 [[0], [1, 2]] : tensor<5x12x1xi32> into tensor<5x12xi32>
  %4 = tensor.expand_shape %3 [[0], [1, 2]] output_shape [5, 1, 12]
      : tensor<5x12xi32> into tensor<5x1x12xi32>
  return %3, %4 : tensor<5x12xi32>, tensor<5x1x12xi32>
}

// -----

func.func @late(%a: tensor<4x4xf32>, %b: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = tensor.empty() : tensor<4x4xf32>
  // expected-error @+1 {{'linalg.matmul' op has sparsam.overwrite; expected sparsam-fold-reshapes in front of sparsam-set-destinations}}
  %1 = linalg.matmul {sparsam.overwrite} ins(%a, %b : tensor<4x4xf32>, tensor<4x4xf32>)
      outs(%0 : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %1 : tensor<4x4xf32>
}
