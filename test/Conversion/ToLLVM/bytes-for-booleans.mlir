// RUN: sparsam-opt %s --sparsam-bytes-for-booleans | FileCheck %s

// CHECK-LABEL: llvm.func @copy(
// CHECK:         %[[P:.*]] = llvm.getelementptr %{{.*}}[1] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK:         %[[BYTE:.*]] = llvm.load %[[P]] {alignment = 1 : i64} : !llvm.ptr -> i8
// CHECK:         %[[BIT:.*]] = llvm.trunc %[[BYTE]] : i8 to i1
// CHECK:         %[[OTHER:.*]] = llvm.xor %[[BIT]], %[[BIT]] : i1
// CHECK:         %[[WIDE:.*]] = llvm.zext %[[OTHER]] : i1 to i8
// CHECK:         llvm.store %[[WIDE]], %{{.*}} {alignment = 1 : i64} : i8, !llvm.ptr
llvm.func @copy(%from: !llvm.ptr, %to: !llvm.ptr) {
  %p = llvm.getelementptr %from[1] : (!llvm.ptr) -> !llvm.ptr, i1
  %0 = llvm.load %p : !llvm.ptr -> i1
  %1 = llvm.xor %0, %0 : i1
  llvm.store %1, %to : i1, !llvm.ptr
  llvm.return
}
