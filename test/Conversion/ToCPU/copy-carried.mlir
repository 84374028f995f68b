// RUN: sparsam-opt %s -split-input-file --sparsam-copy-carried -verify-diagnostics | FileCheck %s
// RUN: sparsam-opt %s -split-input-file --sparsam-copy-carried -one-shot-bufferize=bufferize-function-boundaries | FileCheck %s --check-prefix=BUFFERS

// Written over one carried tensor, read from the other one behind it: both loops work on
// copies.

// CHECK-LABEL: @swapped
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) ->
// CHECK-DAG: %[[COPY_A:.*]] = bufferization.alloc_tensor() copy(%[[A]])
// CHECK-DAG: %[[COPY_B:.*]] = bufferization.alloc_tensor() copy(%[[B]])
// CHECK: %[[NEW:.*]] = scf.if
// CHECK:   scf.yield %[[COPY_A]]
// CHECK:   scf.yield %[[COPY_B]]
// CHECK: %[[TO_A:.*]] = bufferization.materialize_in_destination %[[COPY_B]] in %[[A]]
// CHECK: %[[TO_B:.*]] = bufferization.materialize_in_destination %[[NEW]] in %[[B]]
// CHECK: scf.yield %[[TO_A]], %[[TO_B]]
// BUFFERS-LABEL: func.func @swapped
func.func @swapped(%x: tensor<4xf32>, %y: tensor<4xf32>, %first: i1) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  // expected-remark @below {{each iteration of this loop, and of those inside it, copies what it carries}}
  %r:2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x, %b = %y) -> (tensor<4xf32>, tensor<4xf32>) {
    %new = scf.if %first -> tensor<4xf32> {
      scf.yield %a : tensor<4xf32>
    } else {
      scf.yield %b : tensor<4xf32>
    }
    %over = bufferization.materialize_in_destination %b in %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %other = bufferization.materialize_in_destination %new in %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    scf.yield %over, %other : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// A carried tensor is the destination of work in front of another reader of it: the work
// gets one of its own, and nothing is copied.

// CHECK-LABEL: @taken
// CHECK: scf.for
// CHECK-NOT: alloc_tensor
// CHECK: %[[OWN:.*]] = tensor.empty()
// CHECK: linalg.exp {{.*}} outs(%[[OWN]]
// BUFFERS-LABEL: func.func @taken
func.func @taken(%x: tensor<4xf32>, %y: tensor<4xf32>, %z: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %limit = arith.constant 1.0 : f32
  %r:3 = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x, %b = %y, %c = %z)
      -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
    %exp = linalg.exp ins(%a : tensor<4xf32>) outs(%b : tensor<4xf32>) -> tensor<4xf32>
    %second = tensor.extract %b[%c1] : tensor<4xf32>
    %isLarge = arith.cmpf ogt, %second, %limit : f32
    %new = scf.if %isLarge -> tensor<4xf32> {
      scf.yield %c : tensor<4xf32>
    } else {
      scf.yield %exp : tensor<4xf32>
    }
    %tanh = linalg.tanh ins(%new : tensor<4xf32>) outs(%a : tensor<4xf32>) -> tensor<4xf32>
    %abs = linalg.abs ins(%c : tensor<4xf32>) outs(%c : tensor<4xf32>) -> tensor<4xf32>
    %to_a = bufferization.materialize_in_destination %tanh in %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %to_b = bufferization.materialize_in_destination %exp in %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %to_c = bufferization.materialize_in_destination %abs in %c : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    scf.yield %to_a, %to_b, %to_c : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1, %r#2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
