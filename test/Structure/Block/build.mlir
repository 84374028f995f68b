// RUN: sparsam-opt %s -sparsam-lower-storage -split-input-file | FileCheck %s

// The score of a block is its sum of |w|; the runtime finds the largest of each block row.
// CHECK:         func private @sparsam_largest_f32(memref<?x?xf32>, memref<?x?xi64>)
// CHECK-SAME:      llvm.emit_c_interface
// CHECK-LABEL: func @select
// CHECK-SAME:    (%[[W:.+]]: tensor<16x8xf32>)
// CHECK:         %[[BLOCKS:.+]] = tensor.expand_shape %[[W]] {{\[}}[0, 1], [2, 3]]
// CHECK-SAME:      into tensor<4x4x2x4xf32>
// CHECK:         %[[SUMS:.+]] = linalg.generic {{.*}}["parallel", "parallel", "reduction", "reduction"]
// CHECK-SAME:      ins(%[[BLOCKS]]
// CHECK:           math.absf
// CHECK:           arith.addf
// CHECK:         %[[SCORES:.+]] = bufferization.to_buffer %[[SUMS]] read_only
// CHECK:         %[[FROM:.+]] = memref.cast %[[SCORES]]
// CHECK:         %[[CHOSEN:.+]] = memref.alloc() {{.*}} : memref<2x2xi64>
// CHECK:         %[[TO:.+]] = memref.cast %[[CHOSEN]]
// CHECK:         call @sparsam_largest_f32(%[[FROM]], %[[TO]])
// CHECK:         bufferization.to_tensor %[[CHOSEN]] restrict writable
// CHECK:         arith.trunci %{{.+}} : i64 to i16
func.func @select(%w: tensor<16x8xf32>) -> tensor<2x2xi16> {
  %i = sparsam.select %w {structure = #sparsam.block<4x4, density = 0.5>}
      : (tensor<16x8xf32>) -> tensor<2x2xi16>
  return %i : tensor<2x2xi16>
}

// -----

// Half of three blocks, rounded half up, are two.
// CHECK-LABEL: func @rounded
// CHECK:         memref.alloc() {{.*}} : memref<1x2xi64>
func.func @rounded(%w: tensor<6x3xf64>) -> tensor<1x2xi16> {
  %i = sparsam.select %w {structure = #sparsam.block<2x3, density = 0.5>}
      : (tensor<6x3xf64>) -> tensor<1x2xi16>
  return %i : tensor<1x2xi16>
}

// -----

// CHECK-LABEL: func @restrict
// CHECK-SAME:    (%[[W:.+]]: tensor<16x8xf32>, %[[I:.+]]: tensor<2x2xi16>)
// CHECK:         linalg.generic {{.*}} ins(%[[I]]
// CHECK:         ^bb0(%[[INDEX:.+]]: i16,
// CHECK-DAG:       %[[BLOCK:.+]] = arith.index_castui %[[INDEX]] : i16 to index
// CHECK-DAG:       %[[R:.+]] = linalg.index 2
// CHECK-DAG:       %[[FIRST:.+]] = arith.muli %[[BLOCK]], %{{.+}}
// CHECK-DAG:       %[[ROW:.+]] = arith.addi %[[FIRST]], %[[R]]
// CHECK-DAG:       %[[BLOCK_ROW:.+]] = linalg.index 0
// CHECK-DAG:       %[[C:.+]] = linalg.index 3
// CHECK-DAG:       %[[OUTPUT:.+]] = arith.muli %[[BLOCK_ROW]], %{{.+}}
// CHECK-DAG:       %[[COLUMN:.+]] = arith.addi %[[OUTPUT]], %[[C]]
// CHECK:           tensor.extract %[[W]][%[[ROW]], %[[COLUMN]]]
func.func @restrict(%w: tensor<16x8xf32>, %i: tensor<2x2xi16>) -> tensor<2x2x4x4xf32> {
  %v = sparsam.restrict %w on %i {structure = #sparsam.block<4x4, density = 0.5>}
      : (tensor<16x8xf32>, tensor<2x2xi16>) -> tensor<2x2x4x4xf32>
  return %v : tensor<2x2x4x4xf32>
}

// -----

// CHECK-LABEL: func @densify
// CHECK-SAME:    (%[[V:.+]]: tensor<2x2x4x4xf64>, %[[I:.+]]: tensor<2x2xi16>)
// CHECK:         %[[ZEROS:.+]] = linalg.fill
// CHECK:         scf.for %[[B:[a-z0-9]+]] = {{.*}} iter_args(%{{.+}} = %[[ZEROS]])
// CHECK:           scf.for %[[P:[a-z0-9]+]] =
// CHECK:             scf.for %[[R:[a-z0-9]+]] =
// CHECK:               scf.for %[[C:[a-z0-9]+]] = {{.*}} iter_args(%[[W:[a-z0-9]+]] =
// CHECK-DAG:             %[[STORED:.+]] = tensor.extract %[[I]][%[[B]], %[[P]]]
// CHECK-DAG:             arith.index_castui %[[STORED]]
// CHECK-DAG:             %[[ENTRY:.+]] = tensor.extract %[[V]][%[[B]], %[[P]], %[[R]], %[[C]]]
// CHECK:                 tensor.insert %[[ENTRY]] into %[[W]]
func.func @densify(%v: tensor<2x2x4x4xf64>, %i: tensor<2x2xi16>) -> tensor<16x8xf64> {
  %w = sparsam.densify %v, %i {structure = #sparsam.block<4x4, density = 0.5>}
      : (tensor<2x2x4x4xf64>, tensor<2x2xi16>) -> tensor<16x8xf64>
  return %w : tensor<16x8xf64>
}
