// RUN: sparsam-opt %s -sparsam-lower-storage -split-input-file | FileCheck %s

// First 4 of 8 inputs by the sum of |w| over 2 outputs, then 2 of these 4 for each output
// by its own |w|.
// CHECK-LABEL: func @select
// CHECK-SAME:    (%[[W:.+]]: tensor<16x4xf32>)
// CHECK:         tensor.expand_shape %[[W]] {{.*}} into tensor<16x2x2xf32>
// CHECK:         math.absf
// CHECK:         arith.addf
// CHECK:         tensor.expand_shape {{.*}} into tensor<2x2x8xf32>
// CHECK:         %[[COLUMNS:.+]] = tensor.collapse_shape {{.*}} : tensor<2x2x4xi32> into tensor<2x8xi32>
// CHECK:         linalg.generic
// CHECK:           tensor.extract %[[COLUMNS]]
// CHECK:           tensor.extract %[[W]]
// CHECK:           math.absf
// CHECK:         tensor.expand_shape {{.*}} into tensor<4x2x4xf32>
// CHECK:         tensor.collapse_shape {{.*}} : tensor<4x2x2xi32> into tensor<4x4xi32>
func.func @select(%w: tensor<16x4xf32>) -> (tensor<2x8xi16>, tensor<4x4xi16>) {
  %c, %i = sparsam.select %w {structure = #sparsam.vnm<2, 2:8>}
      : (tensor<16x4xf32>) -> (tensor<2x8xi16>, tensor<4x4xi16>)
  return %c, %i : tensor<2x8xi16>, tensor<4x4xi16>
}

// -----

// The column of a value is 4 * (place / N) + index in the row of its V outputs.
// CHECK-LABEL: func @restrict
// CHECK-SAME:    (%[[W:.+]]: tensor<16x4xf32>, %[[C:.+]]: tensor<2x8xi16>, %[[I:.+]]: tensor<4x4xi16>)
// CHECK:         %[[OUTPUT:.+]] = linalg.index 0
// CHECK:         %[[PLACE:.+]] = linalg.index 1
// CHECK:         %[[BLOCK:.+]] = arith.divui %[[OUTPUT]], %{{.+}}
// CHECK:         %[[GROUP:.+]] = arith.divui %[[PLACE]], %{{.+}}
// CHECK:         %[[FIRST:.+]] = arith.muli %[[GROUP]], %{{.+}}
// CHECK:         tensor.extract %[[I]][%[[OUTPUT]], %[[PLACE]]]
// CHECK:         %[[COLUMN:.+]] = arith.addi %[[FIRST]], %{{.+}}
// CHECK:         %[[STORED:.+]] = tensor.extract %[[C]][%[[BLOCK]], %[[COLUMN]]]
// CHECK:         %[[INPUT:.+]] = arith.index_castui %[[STORED]]
// CHECK:         tensor.extract %[[W]][%[[INPUT]], %[[OUTPUT]]]
func.func @restrict(%w: tensor<16x4xf32>, %c: tensor<2x8xi16>, %i: tensor<4x4xi16>) -> tensor<4x4xf32> {
  %v = sparsam.restrict %w on %c, %i {structure = #sparsam.vnm<2, 2:8>}
      : (tensor<16x4xf32>, tensor<2x8xi16>, tensor<4x4xi16>) -> tensor<4x4xf32>
  return %v : tensor<4x4xf32>
}

// -----

// CHECK-LABEL: func @densify
// CHECK-SAME:    (%[[V:.+]]: tensor<4x4xf64>,
// CHECK:         %[[ZEROS:.+]] = linalg.fill
// CHECK:         scf.for %[[OUTPUT:[a-z0-9]+]] = {{.*}} iter_args(%{{.+}} = %[[ZEROS]])
// CHECK:           scf.for %[[PLACE:[a-z0-9]+]] = {{.*}} iter_args(%[[W:[a-z0-9]+]] =
// CHECK:             %[[ENTRY:.+]] = tensor.extract %[[V]][%[[OUTPUT]], %[[PLACE]]]
// CHECK:             tensor.insert %[[ENTRY]] into %[[W]][%{{.+}}, %[[OUTPUT]]]
func.func @densify(%v: tensor<4x4xf64>, %c: tensor<2x8xi16>, %i: tensor<4x4xi16>) -> tensor<16x4xf64> {
  %w = sparsam.densify %v, %c, %i {structure = #sparsam.vnm<2, 2:8>}
      : (tensor<4x4xf64>, tensor<2x8xi16>, tensor<4x4xi16>) -> tensor<16x4xf64>
  return %w : tensor<16x4xf64>
}
