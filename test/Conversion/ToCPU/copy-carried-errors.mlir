// RUN: sparsam-opt %s --sparsam-copy-carried -verify-diagnostics | FileCheck %s

// What bufferization takes stays as it is, branches in loops included.

// CHECK-LABEL: @branch
// CHECK-NOT: bufferization
// CHECK: return
func.func @branch(%x: tensor<4xf32>, %v: f32, %first: i1) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x) -> tensor<4xf32> {
    %new = scf.if %first -> tensor<4xf32> {
      %put = tensor.insert %v into %a[%i] : tensor<4xf32>
      scf.yield %put : tensor<4xf32>
    } else {
      scf.yield %a : tensor<4xf32>
    }
    scf.yield %new : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}
