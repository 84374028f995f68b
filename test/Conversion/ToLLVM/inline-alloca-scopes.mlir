// RUN: sparsam-opt %s --sparsam-inline-alloca-scopes | FileCheck %s

// CHECK-LABEL: func.func @empty(
// CHECK-NOT:     memref.alloca_scope
// CHECK:         memref.store
func.func @empty(%m: memref<f32>, %v: f32) {
  memref.alloca_scope {
    memref.store %v, %m[] : memref<f32>
  }
  return
}

// A scope with something on the stack stays; its result does in any case.
// CHECK-LABEL: func.func @used(
// CHECK:         memref.alloca_scope
// CHECK:           memref.alloca()
// CHECK:         return
func.func @used(%v: f32) -> (f32, f32) {
  %0 = memref.alloca_scope -> (f32) {
    %a = memref.alloca() : memref<f32>
    memref.store %v, %a[] : memref<f32>
    %l = memref.load %a[] : memref<f32>
    memref.alloca_scope.return %l : f32
  }
  %1 = memref.alloca_scope -> (f32) {
    %s = arith.addf %v, %v : f32
    memref.alloca_scope.return %s : f32
  }
  return %0, %1 : f32, f32
}
