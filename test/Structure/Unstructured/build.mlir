// RUN: sparsam-opt %s -sparsam-lower-storage -split-input-file | FileCheck %s

// The runtime finds the largest of all |w| in the order of outputs, then inputs. Their
// outputs are counted and summed up to positions; their inputs are stored.
// CHECK-LABEL: func @select
// CHECK-SAME:    (%[[W:.+]]: tensor<16x8xf32>)
// CHECK:         linalg.generic {{.*}} ins(%[[W]]{{.*}} outs(%{{.+}} : tensor<8x16xf32>)
// CHECK:           math.absf
// CHECK:         memref.alloc() {{.*}} : memref<1x32xi64>
// CHECK:         call @sparsam_largest_f32
// CHECK:         %[[ROW:.+]] = bufferization.to_tensor
// CHECK:         %[[CHOSEN:.+]] = tensor.collapse_shape %[[ROW]] {{.*}} into tensor<32xi64>
// CHECK:         linalg.generic {{.*}} ins(%[[CHOSEN]]
// CHECK:           arith.remui
// CHECK:         %[[COUNTS:.+]] = scf.for
// CHECK:           tensor.extract %[[CHOSEN]]
// CHECK:           arith.divui
// CHECK:           tensor.insert %{{.+}} : tensor<9xi32>
// CHECK:         scf.for {{.*}} iter_args(%{{.+}} = %[[COUNTS]])
// CHECK:           arith.addi %{{.+}} : i32
// CHECK:         arith.trunci %{{.+}} : i64 to i16
func.func @select(%w: tensor<16x8xf32>) -> (tensor<9xi32>, tensor<32xi16>) {
  %p, %i = sparsam.select %w {structure = #sparsam.unstructured<density = 0.25>}
      : (tensor<16x8xf32>) -> (tensor<9xi32>, tensor<32xi16>)
  return %p, %i : tensor<9xi32>, tensor<32xi16>
}

// -----

// CHECK-LABEL: func @restrict
// CHECK-SAME:    (%[[W:.+]]: tensor<16x8xf32>, %[[P:.+]]: tensor<9xi32>, %[[I:.+]]: tensor<32xi16>)
// CHECK:         scf.for %[[OUTPUT:[a-z0-9]+]] =
// CHECK:           tensor.extract %[[P]][%[[OUTPUT]]]
// CHECK:           tensor.extract %[[P]]
// CHECK:           scf.for %[[PLACE:[a-z0-9]+]] = {{.*}} iter_args(%[[V:[a-z0-9]+]] =
// CHECK:             %[[INDEX:.+]] = tensor.extract %[[I]][%[[PLACE]]]
// CHECK:             %[[INPUT:.+]] = arith.index_castui %[[INDEX]] : i16 to index
// CHECK:             %[[ENTRY:.+]] = tensor.extract %[[W]][%[[INPUT]], %[[OUTPUT]]]
// CHECK:             tensor.insert %[[ENTRY]] into %[[V]][%[[PLACE]]]
func.func @restrict(%w: tensor<16x8xf32>, %p: tensor<9xi32>, %i: tensor<32xi16>) -> tensor<32xf32> {
  %v = sparsam.restrict %w on %p, %i {structure = #sparsam.unstructured<density = 0.25>}
      : (tensor<16x8xf32>, tensor<9xi32>, tensor<32xi16>) -> tensor<32xf32>
  return %v : tensor<32xf32>
}

// -----

// CHECK-LABEL: func @densify
// CHECK-SAME:    (%[[V:.+]]: tensor<32xf64>,
// CHECK:         %[[ZEROS:.+]] = linalg.fill
// CHECK:         scf.for %[[OUTPUT:[a-z0-9]+]] = {{.*}} iter_args(%{{.+}} = %[[ZEROS]])
// CHECK:           scf.for %[[PLACE:[a-z0-9]+]] = {{.*}} iter_args(%[[W:[a-z0-9]+]] =
// CHECK:             %[[ENTRY:.+]] = tensor.extract %[[V]][%[[PLACE]]]
// CHECK:             tensor.insert %[[ENTRY]] into %[[W]][%{{.+}}, %[[OUTPUT]]]
func.func @densify(%v: tensor<32xf64>, %p: tensor<9xi32>, %i: tensor<32xi16>) -> tensor<16x8xf64> {
  %w = sparsam.densify %v, %p, %i {structure = #sparsam.unstructured<density = 0.25>}
      : (tensor<32xf64>, tensor<9xi32>, tensor<32xi16>) -> tensor<16x8xf64>
  return %w : tensor<16x8xf64>
}
