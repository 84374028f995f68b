// RUN: sparsam-opt %s --sparsam-bytes-for-booleans | FileCheck %s

// Vectors of bits are packed and other integers are what they are.

// CHECK-LABEL: llvm.func @others(
// CHECK-NEXT:    llvm.load %{{.*}} : !llvm.ptr -> vector<8xi1>
// CHECK-NEXT:    llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> i32
// CHECK-NEXT:    llvm.getelementptr %{{.*}}[0, 1] : (!llvm.ptr) -> !llvm.ptr, !llvm.array<4 x i1>
// CHECK-NEXT:    llvm.store %{{.*}}, %{{.*}} : vector<8xi1>, !llvm.ptr
// CHECK-NEXT:    llvm.return
llvm.func @others(%p: !llvm.ptr) {
  %0 = llvm.load %p : !llvm.ptr -> vector<8xi1>
  %1 = llvm.load %p {alignment = 4 : i64} : !llvm.ptr -> i32
  %2 = llvm.getelementptr %p[0, 1] : (!llvm.ptr) -> !llvm.ptr, !llvm.array<4 x i1>
  llvm.store %0, %2 : vector<8xi1>, !llvm.ptr
  llvm.return
}

// Arguments and results are in registers, where a bit stays one; a volatile access stays
// volatile, and only its own reader sees the byte.

// CHECK-LABEL: llvm.func @volatile(
// CHECK-SAME:    %[[B:[^:]*]]: i1, %[[P:[^:]*]]: !llvm.ptr) -> i1
// CHECK-NEXT:    %[[BYTE:.*]] = llvm.load volatile %[[P]] {alignment = 1 : i64} : !llvm.ptr -> i8
// CHECK-NEXT:    %[[BIT:.*]] = llvm.trunc %[[BYTE]] : i8 to i1
// CHECK-NEXT:    %[[WIDE:.*]] = llvm.zext %[[B]] : i1 to i8
// CHECK-NEXT:    llvm.store volatile %[[WIDE]], %[[P]] {alignment = 1 : i64} : i8, !llvm.ptr
// CHECK-NEXT:    llvm.cond_br %[[BIT]], ^bb1, ^bb2
// CHECK:       ^bb1:
// CHECK-NEXT:    llvm.return %[[BIT]] : i1
llvm.func @volatile(%b: i1, %p: !llvm.ptr) -> i1 {
  %0 = llvm.load volatile %p : !llvm.ptr -> i1
  llvm.store volatile %b, %p : i1, !llvm.ptr
  llvm.cond_br %0, ^then, ^else
^then:
  llvm.return %0 : i1
^else:
  llvm.return %b : i1
}

// Memrefs are in front of this pass.

// CHECK-LABEL: func.func @memrefs(
// CHECK-NEXT:    memref.load %{{.*}} : memref<i1>
func.func @memrefs(%m: memref<i1>) -> i1 {
  %0 = memref.load %m[] : memref<i1>
  return %0 : i1
}

// CHECK-LABEL: llvm.func @declared(i1)
llvm.func @declared(i1)
