// RUN: sparsam-opt %s --sparsam-set-destinations | FileCheck %s
// Nothing is copied when this is bufferized.
// RUN: sparsam-opt %s --sparsam-set-destinations --eliminate-empty-tensors \
// RUN:   --empty-tensor-to-alloc-tensor \
// RUN:   --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" \
// RUN:   -cse -canonicalize -cse -canonicalize | FileCheck %s --check-prefix=BUFFERS
// BUFFERS-NOT: memref.copy

#id = affine_map<(d0) -> (d0)>
#id2 = affine_map<(d0, d1) -> (d0, d1)>

// The update of an argument is computed in the argument.

// CHECK-LABEL: func.func @update(
// CHECK-SAME: %[[M:[^:]*]]: tensor<8xf32> {{[^,]*}}, %[[W:[^:]*]]: tensor<8xf32> {{[^,]*}}, %[[G:[^:]*]]: tensor<8xf32>)
// CHECK: %[[R:.*]]:2 = linalg.generic {{.*}} ins(%[[G]] : tensor<8xf32>) outs(%[[W]], %[[M]] :
// CHECK-NEXT: ^bb0(%[[GI:.*]]: f32, %[[WI:.*]]: f32, %[[MI:.*]]: f32):
// CHECK-NEXT: %[[A:.*]] = arith.addf %[[MI]], %[[GI]]
// CHECK-NEXT: %[[B:.*]] = arith.subf %[[WI]], %[[A]]
// CHECK-NEXT: linalg.yield %[[B]], %[[A]]
// CHECK: return %[[R]]#0, %[[R]]#1
func.func @update(%m: tensor<8xf32> {sparsam.updates = 1 : i64},
                  %w: tensor<8xf32> {sparsam.updates = 0 : i64}, %g: tensor<8xf32>)
    -> (tensor<8xf32>, tensor<8xf32>) {
  %0 = tensor.empty() : tensor<8xf32>
  %1:2 = linalg.generic {indexing_maps = [#id, #id, #id, #id, #id], iterator_types = ["parallel"]}
      ins(%m, %w, %g : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
      outs(%0, %0 : tensor<8xf32>, tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %out0: f32, %out1: f32):
    %2 = arith.addf %a, %c : f32
    %3 = arith.subf %b, %2 : f32
    linalg.yield %3, %2 : f32, f32
  } -> (tensor<8xf32>, tensor<8xf32>)
  return %1#0, %1#1 : tensor<8xf32>, tensor<8xf32>
}

// So is one that is computed in another shape, and it waits for readers of the old value.

// CHECK-LABEL: func.func @reshaped(
// CHECK-SAME: %[[W:[^:]*]]: tensor<8xf32>
// CHECK: %[[OLD:.*]] = linalg.generic {{.*}} ins(%[[W]] :
// CHECK: %[[R:.*]] = linalg.generic {{.*}} outs(%[[E:.*]] : tensor<2x4xf32>)
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[R]]
// CHECK-NEXT: return %[[C]], %[[OLD]]
func.func @reshaped(%w: tensor<8xf32> {sparsam.updates = 0 : i64}, %g: tensor<2x4xf32>)
    -> (tensor<8xf32>, tensor<8xf32>) {
  %0 = tensor.empty() : tensor<2x4xf32>
  %e = tensor.expand_shape %w [[0, 1]] output_shape [2, 4] : tensor<8xf32> into tensor<2x4xf32>
  %1 = linalg.generic {indexing_maps = [#id2, #id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%e, %g : tensor<2x4xf32>, tensor<2x4xf32>) outs(%0 : tensor<2x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %2 = arith.subf %a, %b : f32
    linalg.yield %2 : f32
  } -> tensor<2x4xf32>
  %c = tensor.collapse_shape %1 [[0, 1]] : tensor<2x4xf32> into tensor<8xf32>
  %3 = tensor.empty() : tensor<8xf32>
  %4 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%w : tensor<8xf32>) outs(%3 : tensor<8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %5 = arith.negf %a : f32
    linalg.yield %5 : f32
  } -> tensor<8xf32>
  return %c, %4 : tensor<8xf32>, tensor<8xf32>
}

// Products overwrite; destinations are not shared; what a loop carries starts from a
// fill of its own, not from a constant.

// CHECK-LABEL: func.func @own(
// CHECK: %[[E0:.*]] = tensor.empty() : tensor<4x4xf32>
// CHECK: linalg.generic {{.*}} outs(%[[E0]] : {{.*}} attrs = {sparsam.overwrite}
// CHECK: %[[E1:.*]] = tensor.empty() : tensor<4x4xf32>
// CHECK: linalg.generic {{.*}} outs(%[[E1]] : {{.*}} attrs = {sparsam.overwrite}
// CHECK: %[[E2:.*]] = tensor.empty() : tensor<4xf32>
// CHECK: %[[F2:.*]] = linalg.fill {{.*}} outs(%[[E2]] :
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[F2]])
func.func @own(%a: tensor<4x4xf32>, %u: tensor<4xf32>, %at: index)
    -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %zeros = arith.constant dense<0.0> : tensor<4xf32>
  %0 = tensor.empty() : tensor<4x4xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                                        affine_map<(m, n, k) -> (k, n)>,
                                        affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%1 : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %out, %m : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %3 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                                        affine_map<(m, n, k) -> (k, n)>,
                                        affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %2 : tensor<4x4xf32>, tensor<4x4xf32>) outs(%1 : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %out, %m : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %4 = scf.for %i = %c0 to %c4 step %c1 iter_args(%t = %zeros) -> (tensor<4xf32>) {
    %v = tensor.extract %u[%i] : tensor<4xf32>
    %o = tensor.extract %t[%at] : tensor<4xf32>
    %n = arith.addf %v, %o : f32
    %r = tensor.insert %n into %t[%at] : tensor<4xf32>
    scf.yield %r : tensor<4xf32>
  }
  return %2, %3, %4 : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>
}

// The rows that a scatter adds to are updated where they are.

// CHECK-LABEL: func.func @scatter(
// CHECK: scf.for {{.*}} iter_args(%[[T:.*]] =
// CHECK: %[[OLD:.*]] = tensor.extract_slice %[[T]]
// CHECK: %[[NEW:.*]] = linalg.generic {{.*}} outs(%[[OLD]] : tensor<8xf32>)
// CHECK: tensor.insert_slice %[[NEW]] into %[[T]]
func.func @scatter(%u: tensor<4x8xf32>, %at: index) -> tensor<16x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zeros = arith.constant dense<0.0> : tensor<16x8xf32>
  %0 = scf.for %i = %c0 to %c4 step %c1 iter_args(%t = %zeros) -> (tensor<16x8xf32>) {
    %row = tensor.extract_slice %u[%i, 0] [1, 8] [1, 1] : tensor<4x8xf32> to tensor<8xf32>
    %old = tensor.extract_slice %t[%at, 0] [1, 8] [1, 1] : tensor<16x8xf32> to tensor<8xf32>
    %1 = tensor.empty() : tensor<8xf32>
    %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
        ins(%row, %old : tensor<8xf32>, tensor<8xf32>) outs(%1 : tensor<8xf32>) {
    ^bb0(%a: f32, %b: f32, %out: f32):
      %s = arith.addf %a, %b : f32
      linalg.yield %s : f32
    } -> tensor<8xf32>
    %new = tensor.insert_slice %2 into %t[%at, 0] [1, 8] [1, 1] : tensor<8xf32> into tensor<16x8xf32>
    scf.yield %new : tensor<16x8xf32>
  }
  return %0 : tensor<16x8xf32>
}
