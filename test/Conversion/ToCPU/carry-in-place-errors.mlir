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
