// RUN: sparsam-opt %s --sparsam-fuse-elementwise | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#id1 = affine_map<(d0) -> (d0)>

// A square root is not computed once for every column.

// CHECK-LABEL: func.func @larger(
// CHECK: linalg.generic
// CHECK: math.rsqrt
// CHECK: linalg.generic
// CHECK-NOT: math.rsqrt
// CHECK: return
func.func @larger(%v: tensor<4xf32>, %x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tensor.empty() : tensor<4xf32>
  %1 = linalg.generic {indexing_maps = [#id1, #id1], iterator_types = ["parallel"]}
      ins(%v : tensor<4xf32>) outs(%0 : tensor<4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %s = math.rsqrt %a : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  %2 = tensor.empty() : tensor<4x8xf32>
  %3 = linalg.generic {indexing_maps = [#id, #row, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %1 : tensor<4x8xf32>, tensor<4xf32>) outs(%2 : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %m = arith.mulf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<4x8xf32>
  return %3 : tensor<4x8xf32>
}

// What a product reads is in memory anyway; its other reader reads it there.

// CHECK-LABEL: func.func @inMemory(
// CHECK-COUNT-1: math.tanh
// CHECK-NOT: math.tanh
// CHECK: return
func.func @inMemory(%x: tensor<4x4xf32>, %v: tensor<2x2x1xf32>, %i: tensor<2x2xi16>,
                    %init: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<4x4xf32>) {
  %0 = tensor.empty() : tensor<4x4xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x4xf32>) outs(%0 : tensor<4x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %s = math.tanh %a : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %2 = sparsam.spmm %1, %v, %i into %init {structure = #sparsam.nm<2:4>}
      : (tensor<4x4xf32>, tensor<2x2x1xf32>, tensor<2x2xi16>, tensor<4x2xf32>)
      -> tensor<4x2xf32>
  %3 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%1 : tensor<4x4xf32>) outs(%0 : tensor<4x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %s = arith.negf %a : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  return %2, %3 : tensor<4x2xf32>, tensor<4x4xf32>
}

// The sum of a constant needs an operand that says how many terms there are.

// CHECK-LABEL: func.func @sizeless(
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel"]
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["reduction"]
func.func @sizeless() -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %0 = tensor.empty() : tensor<8xf32>
  %1 = linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]}
      outs(%0 : tensor<8xf32>) {
  ^bb0(%out: f32):
    linalg.yield %one : f32
  } -> tensor<8xf32>
  %2 = tensor.empty() : tensor<f32>
  %3 = linalg.fill ins(%zero : f32) outs(%2 : tensor<f32>) -> tensor<f32>
  %4 = linalg.generic {indexing_maps = [#id1, affine_map<(d0) -> ()>],
                       iterator_types = ["reduction"]}
      ins(%1 : tensor<8xf32>) outs(%3 : tensor<f32>) {
  ^bb0(%a: f32, %out: f32):
    %s = arith.addf %out, %a : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  return %4 : tensor<f32>
}
