// RUN: sparsam-opt %s --sparsam-fold-reshapes | FileCheck %s

// The dimensions of the tokens stay apart in the product's loops.

// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3) -> (d3, d2)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>

// CHECK-LABEL: func.func @product(
// CHECK-SAME: %[[XS:.*]]: tensor<4x8x16xf32>, %[[WS:.*]]: tensor<16x2xf32>
// CHECK-NOT: reshape
// CHECK-NOT: matmul
// CHECK: %[[R:.*]] = linalg.generic {indexing_maps = [#[[X]], #[[W]], #[[Y]]]
// CHECK-SAME: ins(%[[XS]], %[[WS]] :
// CHECK: return %[[R]] : tensor<4x8x2xf32>
func.func @product(%x: tensor<4x8x16xf32>, %w: tensor<16x2xf32>) -> tensor<4x8x2xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<4x8x16xf32> into tensor<32x16xf32>
  %1 = tensor.empty() : tensor<32x2xf32>
  %2 = linalg.fill ins(%zero : f32) outs(%1 : tensor<32x2xf32>) -> tensor<32x2xf32>
  %3 = linalg.matmul ins(%0, %w : tensor<32x16xf32>, tensor<16x2xf32>)
      outs(%2 : tensor<32x2xf32>) -> tensor<32x2xf32>
  %4 = tensor.expand_shape %3 [[0, 1], [2]] output_shape [4, 8, 2]
      : tensor<32x2xf32> into tensor<4x8x2xf32>
  return %4 : tensor<4x8x2xf32>
}

// A structured product takes matrices: its reshapes stay, and nothing else does.

// CHECK-LABEL: func.func @structured(
// CHECK: %[[EXP:.*]] = linalg.generic
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %[[EXP]]
// CHECK: sparsam.spmm %[[FLAT]],
func.func @structured(%x: tensor<2x4x16xf32>, %v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>,
                      %init: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %0 = tensor.empty() : tensor<2x4x16xf32>
  %1 = linalg.exp ins(%x : tensor<2x4x16xf32>) outs(%0 : tensor<2x4x16xf32>)
      -> tensor<2x4x16xf32>
  %2 = tensor.collapse_shape %1 [[0, 1], [2]] : tensor<2x4x16xf32> into tensor<8x16xf32>
  %3 = sparsam.spmm %2, %v, %i into %init {structure = #sparsam.nm<2:4>}
      : (tensor<8x16xf32>, tensor<4x8x1xf32>, tensor<4x8xi16>, tensor<8x4xf32>)
      -> tensor<8x4xf32>
  return %3 : tensor<8x4xf32>
}

// Slices are inserted in the shape that they were made in.

// CHECK-LABEL: func.func @concatenate(
// CHECK-SAME: %[[A:[^:]*]]: tensor<4x2x4xf32>, %[[B:[^:]*]]: tensor<4x1x4xf32>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<4x3x4xf32>
// CHECK: %[[I:.*]] = tensor.insert_slice %[[A]] into %[[E]][0, 0, 0] [4, 2, 4] [1, 1, 1]
// CHECK: %[[J:.*]] = tensor.insert_slice %[[B]] into %[[I]][0, 2, 0] [4, 1, 4] [1, 1, 1]
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[J]] {{\[\[}}0], [1, 2]]
// CHECK: return %[[C]]
func.func @concatenate(%a: tensor<4x2x4xf32>, %b: tensor<4x1x4xf32>) -> tensor<4x12xf32> {
  %0 = tensor.empty() : tensor<4x12xf32>
  %1 = tensor.collapse_shape %a [[0], [1, 2]] : tensor<4x2x4xf32> into tensor<4x8xf32>
  %2 = tensor.collapse_shape %b [[0], [1, 2]] : tensor<4x1x4xf32> into tensor<4x4xf32>
  %3 = tensor.insert_slice %1 into %0[0, 0] [4, 8] [1, 1]
      : tensor<4x8xf32> into tensor<4x12xf32>
  %4 = tensor.insert_slice %2 into %3[0, 8] [4, 4] [1, 1]
      : tensor<4x4xf32> into tensor<4x12xf32>
  return %4 : tensor<4x12xf32>
}
