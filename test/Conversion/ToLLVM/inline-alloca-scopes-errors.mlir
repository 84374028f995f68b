// RUN: sparsam-opt %s --sparsam-inline-alloca-scopes | FileCheck %s

// Memory of LLVM's own `alloca` goes back at the end of the scope too: inlined into a
// loop, it would eat up the stack.

// CHECK-LABEL: func.func @foreign(
// CHECK:         scf.for
// CHECK-NEXT:      memref.alloca_scope
// CHECK-NEXT:        llvm.alloca
func.func @foreign(%n: index, %one: i64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    memref.alloca_scope {
      %0 = llvm.alloca %one x f32 : (i64) -> !llvm.ptr
    }
  }
  return
}

// A scope around one that stays could go, but not the other way round: what is allocated
// in a loop inside of it, or behind a branch, is on its stack.

// CHECK-LABEL: func.func @nested(
// CHECK-NOT:     memref.alloca_scope
// CHECK:         memref.store
// CHECK:         memref.alloca_scope
// CHECK-NEXT:      scf.if
// CHECK-NEXT:        memref.alloca()
func.func @nested(%m: memref<f32>, %v: f32, %p: i1) {
  memref.alloca_scope {
    memref.alloca_scope {
      memref.store %v, %m[] : memref<f32>
    }
  }
  memref.alloca_scope {
    scf.if %p {
      %0 = memref.alloca() : memref<f32>
      memref.store %v, %0[] : memref<f32>
    }
  }
  return
}

// On the heap is not on the stack; scopes may be behind a branch, and nothing need be in
// them.

// CHECK-LABEL: func.func @heap(
// CHECK-NOT:     memref.alloca_scope
// CHECK:         memref.alloc()
// CHECK:       ^bb1:
// CHECK-NOT:     memref.alloca_scope
// CHECK:         return
func.func @heap() {
  memref.alloca_scope {
    %0 = memref.alloc() : memref<f32>
    memref.dealloc %0 : memref<f32>
  }
  cf.br ^next
^next:
  memref.alloca_scope {
  }
  return
}

// CHECK-LABEL: func.func private @declared()
func.func private @declared()
