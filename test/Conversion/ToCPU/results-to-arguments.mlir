// RUN: sparsam-opt %s --sparsam-results-to-arguments -split-input-file | FileCheck %s
// RUN: sparsam-opt %s --sparsam-results-to-arguments -split-input-file -verify-diagnostics -o /dev/null

// What is in its argument stays there; what was computed in an allocation is computed in
// the argument of the result, which takes over the result's attributes.
// CHECK-LABEL: func.func @in_place(
// CHECK-SAME:    %[[W:.*]]: memref<4xf32> {sparsam.updates = 0 : i64},
// CHECK-SAME:    %[[LOSS:.*]]: memref<f32> {sparsam.name = "loss", sparsam.result = 1 : i64})
// CHECK-SAME:    attributes {llvm.emit_c_interface}
// CHECK-NOT:     memref.alloc
// CHECK:         memref.store %{{.*}}, %[[LOSS]][]
// CHECK-NOT:     memref.copy
// CHECK:         return{{$}}
func.func @in_place(%w: memref<4xf32> {bufferization.writable = true, sparsam.updates = 0 : i64})
    -> (memref<4xf32>, memref<f32> {sparsam.name = "loss"}) {
  %c0 = arith.constant 0 : index
  %loss = memref.alloc() : memref<f32>
  %0 = memref.load %w[%c0] : memref<4xf32>
  memref.store %0, %loss[] : memref<f32>
  return %w, %loss : memref<4xf32>, memref<f32>
}

// -----

// CHECK-LABEL: func.func @copied(
// CHECK-SAME:    %[[W:.*]]: memref<4xf32> {sparsam.updates = 0 : i64})
// CHECK:         %[[NEW:.*]] = memref.alloc()
// CHECK:         memref.copy %[[NEW]], %[[W]]
func.func @copied(%w: memref<4xf32> {sparsam.updates = 0 : i64}) -> memref<4xf32> {
  // expected-remark @+1 {{result 0 is computed elsewhere and copied into argument 0, which it updates}}
  %new = memref.alloc() : memref<4xf32>
  linalg.exp ins(%w : memref<4xf32>) outs(%new : memref<4xf32>)
  return %new : memref<4xf32>
}

// -----

// A value in an argument that another result overwrites is saved before anything is
// written.
// CHECK-LABEL: func.func @swap(
// CHECK-SAME:    %[[A:[^:]*]]: memref<4xf32> {sparsam.updates = 1 : i64},
// CHECK-SAME:    %[[B:[^:]*]]: memref<4xf32> {sparsam.updates = 0 : i64})
// CHECK:         %[[SAVED_A:.*]] = memref.alloc()
// CHECK:         memref.copy %[[A]], %[[SAVED_A]]
// CHECK:         %[[SAVED_B:.*]] = memref.alloc()
// CHECK:         memref.copy %[[B]], %[[SAVED_B]]
// CHECK:         memref.copy %[[SAVED_A]], %[[B]]
// CHECK:         memref.copy %[[SAVED_B]], %[[A]]
func.func @swap(%a: memref<4xf32> {sparsam.updates = 1 : i64}, %b: memref<4xf32> {sparsam.updates = 0 : i64})
    -> (memref<4xf32>, memref<4xf32>) {
  // expected-remark @+2 {{result 1 is computed elsewhere}}
  // expected-remark @+1 {{result 0 is computed elsewhere}}
  return %a, %b : memref<4xf32>, memref<4xf32>
}

// -----

// An input that is also a result, and one buffer for two results.
// CHECK-LABEL: func.func @shared(
// CHECK-SAME:    %[[X:[^:]*]]: memref<4xf32>, %[[R0:[^:]*]]: memref<4xf32> {sparsam.result = 0 : i64},
// CHECK-SAME:    %[[R1:[^:]*]]: memref<4xf32> {sparsam.result = 1 : i64},
// CHECK-SAME:    %[[R2:[^:]*]]: memref<4xf32> {sparsam.result = 2 : i64})
// CHECK:         %[[E:.*]] = memref.alloc()
// CHECK:         memref.copy %[[X]], %[[R0]]
// CHECK:         memref.copy %[[E]], %[[R1]]
// CHECK:         memref.copy %[[E]], %[[R2]]
func.func @shared(%x: memref<4xf32>) -> (memref<4xf32>, memref<4xf32>, memref<4xf32>) {
  %e = memref.alloc() : memref<4xf32>
  linalg.exp ins(%x : memref<4xf32>) outs(%e : memref<4xf32>)
  return %x, %e, %e : memref<4xf32>, memref<4xf32>, memref<4xf32>
}

// -----

// The allocation behind a reshape is the argument in another shape.
// CHECK-LABEL: func.func @reshaped(
// CHECK-SAME:    %[[R:.*]]: memref<8xf32> {sparsam.result = 0 : i64})
// CHECK-NOT:     memref.alloc
// CHECK:         %[[AS:.*]] = memref.reinterpret_cast %[[R]] to offset: [0], sizes: [2, 4], strides: [4, 1]
// CHECK:         linalg.fill ins(%{{.*}}) outs(%[[AS]] : memref<2x4xf32>)
// CHECK-NOT:     memref.copy
func.func @reshaped() -> memref<8xf32> {
  %zero = arith.constant 0.0 : f32
  %a = memref.alloc() : memref<2x4xf32>
  linalg.fill ins(%zero : f32) outs(%a : memref<2x4xf32>)
  %flat = memref.collapse_shape %a [[0, 1]] : memref<2x4xf32> into memref<8xf32>
  return %flat : memref<8xf32>
}

// -----

// CHECK-LABEL: func.func private @helper(%{{.*}}: memref<4xf32>) -> memref<4xf32>
func.func private @helper(%x: memref<4xf32>) -> memref<4xf32> {
  return %x : memref<4xf32>
}
