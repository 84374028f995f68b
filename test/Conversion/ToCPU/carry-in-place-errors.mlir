// RUN: sparsam-opt %s --pass-pipeline="builtin.module(func.func(sparsam-carry-in-place))" | FileCheck %s

// A tensor that a loop does not change stays as it is.

// CHECK-LABEL: @unchanged
// CHECK-NOT: materialize_in_destination
func.func @unchanged(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %c1 step %c1 iter_args(%a = %x) -> (tensor<4xf32>) {
    scf.yield %a : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// Nor does one that overwrites parts of what it carries need anything.

// CHECK-LABEL: @parts
// CHECK-NOT: materialize_in_destination
func.func @parts(%x: tensor<4x2xf32>, %v: f32) -> tensor<4x2xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %x) -> (tensor<4x2xf32>) {
    %row = scf.for %j = %c0 to %c2 step %c1 iter_args(%b = %a) -> (tensor<4x2xf32>) {
      %0 = tensor.insert %v into %b[%i, %j] : tensor<4x2xf32>
      scf.yield %0 : tensor<4x2xf32>
    }
    scf.yield %row : tensor<4x2xf32>
  }
  return %r : tensor<4x2xf32>
}

// Nor one that does so in a branch.

// CHECK-LABEL: @branch
// CHECK-NOT: alloc_tensor
// CHECK-NOT: materialize_in_destination
func.func @branch(%x: tensor<4xf32>, %v: f32, %p: i1) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %x) -> (tensor<4xf32>) {
    %new = scf.if %p -> (tensor<4xf32>) {
      %0 = tensor.insert %v into %a[%i] : tensor<4xf32>
      scf.yield %0 : tensor<4xf32>
    } else {
      scf.yield %a : tensor<4xf32>
    }
    scf.yield %new : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// Unless what another branch hands on of it is read later.

// CHECK-LABEL: @read_through_a_branch
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %{{.*}} = %{{.*}}) ->
// CHECK: %[[COPY:.*]] = bufferization.alloc_tensor() copy(%[[A]])
// CHECK: tensor.insert %{{.*}} into %[[COPY]]
func.func @read_through_a_branch(%x: tensor<4xf32>, %y: tensor<4xf32>, %v: f32, %p: i1)
    -> (tensor<4xf32>, f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %x, %s = %v)
      -> (tensor<4xf32>, f32) {
    %one = scf.if %p -> (tensor<4xf32>) {
      scf.yield %y : tensor<4xf32>
    } else {
      scf.yield %a : tensor<4xf32>
    }
    %new = tensor.insert %v into %a[%i] : tensor<4xf32>
    %read = tensor.extract %one[%i] : tensor<4xf32>
    scf.yield %new, %read : tensor<4xf32>, f32
  }
  return %r#0, %r#1 : tensor<4xf32>, f32
}
