// RUN: sparsam-opt %s --sparsam-outline-kernels -split-input-file | FileCheck %s

// What is not on memrefs of known rank stays where it is.
// CHECK-LABEL: func.func @left(
// CHECK:         linalg.exp
// CHECK:         memref.copy
// CHECK:         memref.store
// CHECK-NOT:   call
// CHECK-NOT:   func.func
func.func @left(%t: tensor<4xf32>, %a: memref<*xf32>, %b: memref<*xf32>, %m: memref<f32>, %s: f32)
    -> tensor<4xf32> {
  %0 = linalg.exp ins(%t : tensor<4xf32>) outs(%t : tensor<4xf32>) -> tensor<4xf32>
  memref.copy %a, %b : memref<*xf32> to memref<*xf32>
  memref.store %s, %m[] : memref<f32>
  return %0 : tensor<4xf32>
}

// -----

// A private function is inlined or a kernel already.
// CHECK-LABEL: func.func private @helper(
// CHECK-NEXT:    linalg.exp
func.func private @helper(%a: memref<4xf32>) {
  linalg.exp ins(%a : memref<4xf32>) outs(%a : memref<4xf32>)
  return
}

// -----

// The name of a kernel may be taken.
// CHECK-LABEL: func.func @taken(
// CHECK:         call @exp_4_0(
// CHECK:       func.func private @exp_4()
// CHECK:       func.func private @exp_4_0(
func.func @taken(%a: memref<4xf32>) {
  linalg.exp ins(%a : memref<4xf32>) outs(%a : memref<4xf32>)
  return
}
func.func private @exp_4()

// -----

// A size that is not known has no number to be named by.
// CHECK-LABEL: func.func @dynamic(
// CHECK:         call @exp_any_4(
// CHECK:         call @copy_any_any(
// CHECK:       func.func private @exp_any_4(%{{.*}}: memref<?x4xf32> {llvm.noalias}, %{{.*}}: memref<?x4xf32> {llvm.noalias})
// CHECK:       func.func private @copy_any_any(
func.func @dynamic(%a: memref<?x4xf32>, %b: memref<?x4xf32>,
                   %c: memref<?x?xf32, strided<[?, 1], offset: ?>>, %d: memref<?x?xf32>) {
  linalg.exp ins(%a : memref<?x4xf32>) outs(%b : memref<?x4xf32>)
  memref.copy %c, %d : memref<?x?xf32, strided<[?, 1], offset: ?>> to memref<?x?xf32>
  return
}

// -----

// What a region does with a buffer it captures hangs on that buffer's type.
// CHECK-LABEL: func.func @captured(
// CHECK:         call @elementwise_4(
// CHECK:       func.func private @elementwise_4(
// CHECK-SAME:    memref<4xf32>
// CHECK-SAME:    memref<4xf32, strided<[1], offset: 4>>
// CHECK:           memref.subview %{{.*}} : memref<4xf32, strided<[1], offset: 4>> to memref<2xf32, strided<[1], offset: 4>>
func.func @captured(%a: memref<4xf32>, %s: memref<4xf32, strided<[1], offset: 4>>, %i: index) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%a : memref<4xf32>) {
  ^bb0(%x: f32):
    %0 = memref.subview %s[0] [2] [1]
        : memref<4xf32, strided<[1], offset: 4>> to memref<2xf32, strided<[1], offset: 4>>
    %1 = memref.load %0[%i] : memref<2xf32, strided<[1], offset: 4>>
    linalg.yield %1 : f32
  }
  return
}

// -----

// Several blocks; other element types are other kernels.
// CHECK-LABEL: func.func @blocks(
// CHECK:         call @exp_4(
// CHECK:       ^bb1:
// CHECK:         call @exp_4_0(
// CHECK:       func.func private @exp_4(%{{.*}}: memref<4xf32>
// CHECK:       func.func private @exp_4_0(%{{.*}}: memref<4xf64>
func.func @blocks(%a: memref<4xf32>, %b: memref<4xf64>) {
  linalg.exp ins(%a : memref<4xf32>) outs(%a : memref<4xf32>)
  cf.br ^next
^next:
  linalg.exp ins(%b : memref<4xf64>) outs(%b : memref<4xf64>)
  return
}

// -----

// CHECK: module {
// CHECK-NEXT: }
module {}
