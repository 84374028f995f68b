// RUN: sparsam-opt %s --sparsam-plan-memory --canonicalize -split-input-file | FileCheck %s

// Buffers whose lives do not meet share memory: %0 and %2 here, not %1.
// CHECK-LABEL: func.func @chain(
// CHECK-SAME:    %[[X:[^:]*]]: memref<64xf32>, %[[W:[^:]*]]: memref<512xi8> {sparsam.workspace})
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C256:.*]] = arith.constant 256 : index
// CHECK:         memref.view %[[W]][%[[FIRST:.*]]][] : memref<512xi8> to memref<64xf32>
// CHECK:         memref.view %[[W]][%[[SECOND:.*]]][] : memref<512xi8> to memref<64xf32>
// CHECK:         memref.view %[[W]][%[[FIRST]]][] : memref<512xi8> to memref<64xf32>
func.func @chain(%x: memref<64xf32>) {
  %0 = memref.alloc() : memref<64xf32>
  linalg.exp ins(%x : memref<64xf32>) outs(%0 : memref<64xf32>)
  %1 = memref.alloc() : memref<64xf32>
  linalg.exp ins(%0 : memref<64xf32>) outs(%1 : memref<64xf32>)
  %2 = memref.alloc() : memref<64xf32>
  linalg.exp ins(%1 : memref<64xf32>) outs(%2 : memref<64xf32>)
  linalg.exp ins(%2 : memref<64xf32>) outs(%x : memref<64xf32>)
  return
}

// -----

// Lives go through views: %0 is read last through its reshape, so %1 is elsewhere.
// CHECK-LABEL: func.func @views(
// CHECK-SAME:    memref<512xi8> {sparsam.workspace}
func.func @views(%x: memref<64xf32>, %y: memref<8x8xf32>) {
  %0 = memref.alloc() : memref<64xf32>
  linalg.exp ins(%x : memref<64xf32>) outs(%0 : memref<64xf32>)
  %flat = memref.expand_shape %0 [[0, 1]] output_shape [8, 8] : memref<64xf32> into memref<8x8xf32>
  %1 = memref.alloc() : memref<64xf32>
  linalg.exp ins(%x : memref<64xf32>) outs(%1 : memref<64xf32>)
  linalg.exp ins(%1 : memref<64xf32>) outs(%x : memref<64xf32>)
  linalg.exp ins(%flat : memref<8x8xf32>) outs(%y : memref<8x8xf32>)
  return
}

// -----

// What is read in the next iteration lives as long as the loop; a loop's own buffer is
// planned like any other.
// CHECK-LABEL: func.func @loops(
// CHECK-SAME:    memref<768xi8> {sparsam.workspace}
// CHECK-NOT:     memref.alloc
func.func @loops(%x: memref<64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %0 = memref.alloc() : memref<64xf32>
  %1 = memref.alloc() : memref<64xf32>
  linalg.exp ins(%x : memref<64xf32>) outs(%0 : memref<64xf32>)
  %r:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %0, %b = %1) -> (memref<64xf32>, memref<64xf32>) {
    %2 = memref.alloc() : memref<64xf32>
    linalg.exp ins(%a : memref<64xf32>) outs(%2 : memref<64xf32>)
    linalg.exp ins(%2 : memref<64xf32>) outs(%b : memref<64xf32>)
    scf.yield %b, %a : memref<64xf32>, memref<64xf32>
  }
  linalg.exp ins(%r#0 : memref<64xf32>) outs(%x : memref<64xf32>)
  return
}

// -----

// What a private function allocates is its callers', for the length of the call.
// CHECK-LABEL: func.func @caller(
// CHECK-SAME:    %[[X:[^:]*]]: memref<64xf32>, %[[W:[^:]*]]: memref<256xi8> {sparsam.workspace})
// CHECK:         call @kernel(%[[X]], %[[W]])
// CHECK:         call @kernel(%[[X]], %[[W]])
// CHECK:       func.func private @kernel(
// CHECK-SAME:    %[[WK:[^:]*]]: memref<256xi8> {llvm.noalias, sparsam.workspace})
// CHECK:         memref.view %[[WK]]
func.func @caller(%x: memref<64xf32>) {
  call @kernel(%x) : (memref<64xf32>) -> ()
  call @kernel(%x) : (memref<64xf32>) -> ()
  return
}
func.func private @kernel(%x: memref<64xf32>) {
  %0 = memref.alloc() : memref<64xf32>
  linalg.exp ins(%x : memref<64xf32>) outs(%0 : memref<64xf32>)
  linalg.exp ins(%0 : memref<64xf32>) outs(%x : memref<64xf32>)
  return
}

// -----

// A public function has a workspace even if it needs none; declarations have none.
// CHECK-LABEL: func.func @empty(%{{.*}}: memref<0xi8> {sparsam.workspace})
// CHECK:       func.func private @runtime(memref<4xf32>)
func.func @empty() {
  return
}
func.func private @runtime(memref<4xf32>)

// -----

// Complex numbers are two; LLVM pads an element of an odd width to a power of two.
// CHECK-LABEL: func.func @elements(%{{.*}}: memref<576xi8> {sparsam.workspace})
func.func @elements() {
  %0 = memref.alloc() : memref<16xcomplex<f32>>
  %1 = memref.alloc() : memref<64xi17>
  %2 = memref.alloc() : memref<12xf80>
  memref.copy %0, %0 : memref<16xcomplex<f32>> to memref<16xcomplex<f32>>
  memref.copy %1, %1 : memref<64xi17> to memref<64xi17>
  memref.copy %2, %2 : memref<12xf80> to memref<12xf80>
  memref.copy %0, %0 : memref<16xcomplex<f32>> to memref<16xcomplex<f32>>
  memref.copy %1, %1 : memref<64xi17> to memref<64xi17>
  return
}
