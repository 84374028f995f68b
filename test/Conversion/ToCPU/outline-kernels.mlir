// RUN: sparsam-opt %s --sparsam-outline-kernels -split-input-file | FileCheck %s

// Equal computations share a kernel; another shape is another kernel.
// CHECK-LABEL: func.func @shared(
// CHECK-SAME:    %[[A:[^:]*]]: memref<64xf32>, %[[B:[^:]*]]: memref<64xf32>, %[[C:[^:]*]]: memref<8xf32>
// CHECK:         call @exp_64(%[[A]], %[[B]])
// CHECK:         call @exp_64(%[[B]], %[[A]])
// CHECK:         call @exp_8(%[[C]])
// CHECK:       func.func private @exp_64(%{{.*}}: memref<64xf32> {llvm.noalias}, %{{.*}}: memref<64xf32> {llvm.noalias})
// CHECK:         linalg.exp
// CHECK:       func.func private @exp_8(
// CHECK-NOT:   func.func
func.func @shared(%a: memref<64xf32>, %b: memref<64xf32>, %c: memref<8xf32>) {
  linalg.exp ins(%a : memref<64xf32>) outs(%b : memref<64xf32>)
  linalg.exp ins(%b : memref<64xf32>) outs(%a : memref<64xf32>)
  linalg.exp ins(%c : memref<8xf32>) outs(%c : memref<8xf32>)
  return
}

// -----

// Constants go into the kernel, other scalars become parameters.
// CHECK-LABEL: func.func @captures(
// CHECK-SAME:    %[[A:[^:]*]]: memref<4xf32>, %[[S:[^:]*]]: memref<f32>
// CHECK:         %[[V:.*]] = memref.load %[[S]][]
// CHECK:         call @elementwise_4(%[[A]], %[[V]])
// CHECK:       func.func private @elementwise_4(%{{.*}}: memref<4xf32> {llvm.noalias}, %{{.*}}: f32)
// CHECK:         arith.constant 2.0
func.func @captures(%a: memref<4xf32>, %s: memref<f32>) {
  %two = arith.constant 2.0 : f32
  %v = memref.load %s[] : memref<f32>
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%a : memref<4xf32>) {
  ^bb0(%x: f32):
    %0 = arith.mulf %x, %two : f32
    %1 = arith.addf %0, %v : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// Slices of one layout share a kernel, whatever their offset.
// CHECK-LABEL: func.func @slices(
// CHECK:         call @copy_2_4(
// CHECK:         call @copy_2_4(
// CHECK:       func.func private @copy_2_4(%{{.*}}: memref<2x4xf32, strided<[8, 1], offset: ?>> {llvm.noalias}, %{{.*}}: memref<2x4xf32> {llvm.noalias})
// CHECK-NOT:   func.func
func.func @slices(%a: memref<2x8xf32>, %b: memref<2x4xf32>) {
  %0 = memref.subview %a[0, 0] [2, 4] [1, 1] : memref<2x8xf32> to memref<2x4xf32, strided<[8, 1]>>
  %1 = memref.subview %a[0, 4] [2, 4] [1, 1] : memref<2x8xf32> to memref<2x4xf32, strided<[8, 1], offset: 4>>
  memref.copy %0, %b : memref<2x4xf32, strided<[8, 1]>> to memref<2x4xf32>
  memref.copy %1, %b : memref<2x4xf32, strided<[8, 1], offset: 4>> to memref<2x4xf32>
  return
}

// -----

// Parameters into one buffer are not distinct, and what does not alias it is.
// CHECK-LABEL: func.func @aliasing(
// CHECK:       func.func private @add_4(%{{[^ ]*}}: memref<4xf32, strided<[1], offset: ?>>, %{{[^ ]*}}: memref<4xf32> {llvm.noalias}, %{{[^ ]*}}: memref<4xf32, strided<[1]>>)
func.func @aliasing(%a: memref<8xf32>, %b: memref<4xf32>) {
  %0 = memref.subview %a[0] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1]>>
  %1 = memref.subview %a[2] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: 2>>
  linalg.add ins(%1, %b : memref<4xf32, strided<[1], offset: 2>>, memref<4xf32>)
      outs(%0 : memref<4xf32, strided<[1]>>)
  return
}

// -----

// In loops as well; loops that swap their buffers promise nothing.
// CHECK-LABEL: func.func @loop(
// CHECK:         scf.for
// CHECK:           func.call @exp_4
// CHECK:       func.func private @exp_4(%{{[^ ]*}}: memref<4xf32>, %{{[^ ]*}}: memref<4xf32>)
func.func @loop(%a: memref<4xf32>, %b: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%x = %a, %y = %b) -> (memref<4xf32>, memref<4xf32>) {
    linalg.exp ins(%x : memref<4xf32>) outs(%y : memref<4xf32>)
    scf.yield %y, %x : memref<4xf32>, memref<4xf32>
  }
  return
}
