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
