// RUN: sparsam-opt %s -sparsam-lower-storage -split-input-file | FileCheck %s

// The score of a group's member is the sum of |w| over the block's outputs; its rank
// counts the members that come before it.
// CHECK-LABEL: func @select
// CHECK-SAME:    (%[[W:.+]]: tensor<16x4xf32>)
// CHECK:         %[[BLOCKS:.+]] = tensor.expand_shape %[[W]] {{\[}}[0], [1, 2]]
// CHECK-SAME:      into tensor<16x2x2xf32>
// CHECK:         linalg.generic {{.*}} ins(%[[BLOCKS]]
// CHECK:           math.absf
// CHECK:           arith.addf
// CHECK:         %[[RANKS:.+]] = linalg.generic
// CHECK-DAG:       %[[LARGER:.+]] = arith.cmpf ogt
// CHECK-DAG:       %[[SAME:.+]] = arith.cmpf oeq
// CHECK-DAG:       %[[LOWER:.+]] = arith.cmpi ult
// CHECK-DAG:       %[[TIE:.+]] = arith.andi %[[SAME]], %[[LOWER]]
// CHECK:           arith.ori %[[LARGER]], %[[TIE]]
// CHECK:         arith.trunci %{{.+}} : i32 to i16
func.func @select(%w: tensor<16x4xf32>) -> tensor<2x8xi16> {
  %i = sparsam.select %w {structure = #sparsam.nm<2:4, vector = 2>}
      : (tensor<16x4xf32>) -> tensor<2x8xi16>
  return %i : tensor<2x8xi16>
}

// -----

// Indices above 65,536 inputs are as wide as they are computed.
// CHECK-LABEL: func @select_wide
// CHECK-NOT:     arith.trunci
// CHECK:         return %{{.+}} : tensor<1x32784xi32>
func.func @select_wide(%w: tensor<131136x1xf32>) -> tensor<1x32784xi32> {
  %i = sparsam.select %w {structure = #sparsam.nm<1:4>}
      : (tensor<131136x1xf32>) -> tensor<1x32784xi32>
  return %i : tensor<1x32784xi32>
}

// -----

// The index is read unsigned, and the block's first output is block * V.
// CHECK-LABEL: func @restrict
// CHECK-SAME:    (%[[W:.+]]: tensor<16x4xf32>, %[[I:.+]]: tensor<2x8xi16>)
// CHECK:         linalg.generic {{.*}} ins(%[[I]]
// CHECK:         ^bb0(%[[INDEX:.+]]: i16,
// CHECK-DAG:       %[[ROW:.+]] = arith.index_castui %[[INDEX]] : i16 to index
// CHECK-DAG:       %[[BLOCK:.+]] = linalg.index 0
// CHECK-DAG:       %[[V:.+]] = arith.constant 2
// CHECK:           %[[FIRST:.+]] = arith.muli %[[BLOCK]], %[[V]]
// CHECK:           %[[LANE:.+]] = linalg.index 2
// CHECK:           %[[COLUMN:.+]] = arith.addi %[[FIRST]], %[[LANE]]
// CHECK:           tensor.extract %[[W]][%[[ROW]], %[[COLUMN]]]
func.func @restrict(%w: tensor<16x4xf32>, %i: tensor<2x8xi16>) -> tensor<2x8x2xf32> {
  %v = sparsam.restrict %w on %i {structure = #sparsam.nm<2:4, vector = 2>}
      : (tensor<16x4xf32>, tensor<2x8xi16>) -> tensor<2x8x2xf32>
  return %v : tensor<2x8x2xf32>
}

// -----

// CHECK-LABEL: func @densify
// CHECK-SAME:    (%[[V:.+]]: tensor<2x8x2xf64>, %[[I:.+]]: tensor<2x8xi16>)
// CHECK:         %[[ZEROS:.+]] = linalg.fill
// CHECK:         scf.for %[[B:[a-z0-9]+]] = {{.*}} iter_args(%{{.+}} = %[[ZEROS]])
// CHECK:           scf.for %[[P:[a-z0-9]+]] =
// CHECK:             scf.for %[[LANE:[a-z0-9]+]] = {{.*}} iter_args(%[[W:[a-z0-9]+]] =
// CHECK-DAG:           %[[STORED:.+]] = tensor.extract %[[I]][%[[B]], %[[P]]]
// CHECK-DAG:           %[[ROW:.+]] = arith.index_castui %[[STORED]]
// CHECK-DAG:           %[[ENTRY:.+]] = tensor.extract %[[V]][%[[B]], %[[P]], %[[LANE]]]
// CHECK:               tensor.insert %[[ENTRY]] into %[[W]][%[[ROW]], %{{.+}}]
func.func @densify(%v: tensor<2x8x2xf64>, %i: tensor<2x8xi16>) -> tensor<16x4xf64> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, vector = 2>}
      : (tensor<2x8x2xf64>, tensor<2x8xi16>) -> tensor<16x4xf64>
  return %w : tensor<16x4xf64>
}

// -----

// A transposable pattern is an assignment problem, which the runtime solves.
// CHECK-LABEL: func @transposable
// CHECK-DAG:     %[[N:.+]] = arith.constant 2 : i64
// CHECK-DAG:     %[[M:.+]] = arith.constant 4 : i64
// CHECK-DAG:     %[[INDICES:.+]] = memref.alloc() {{.*}} : memref<4x8xi32>
// CHECK:         call @sparsam_transposable_f64(%{{.+}}, %{{.+}}, %[[N]], %[[M]])
// CHECK:         bufferization.to_tensor %[[INDICES]]
// CHECK:         arith.trunci %{{.+}} : i32 to i16
func.func @transposable(%w: tensor<16x4xf64>) -> tensor<4x8xi16> {
  %i = sparsam.select %w {structure = #sparsam.nm<2:4, transposable>}
      : (tensor<16x4xf64>) -> tensor<4x8xi16>
  return %i : tensor<4x8xi16>
}
