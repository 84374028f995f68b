// RUN: sparsam-opt %s -sparsam-lower-storage | FileCheck %s

// One declaration serves all shapes of an element type.
// CHECK-DAG: func.func private @sparsam_svd_f32(memref<?x?xf32>, memref<?x?xf32>, memref<?x?xf32>) attributes {llvm.emit_c_interface}
// CHECK-DAG: func.func private @sparsam_svd_f64(memref<?x?xf64>

// CHECK-LABEL: func @factorize
// CHECK-SAME:    (%[[W:.+]]: tensor<16x4xf32>)
// CHECK-DAG:     %[[SOURCE:.+]] = bufferization.to_buffer %[[W]] read_only
// CHECK-DAG:     %[[W2:.+]] = memref.cast %[[SOURCE]]
// CHECK-DAG:     %[[U:.+]] = memref.alloc() {{.*}} : memref<16x2xf32>
// CHECK-DAG:     %[[U2:.+]] = memref.cast %[[U]]
// CHECK-DAG:     %[[V:.+]] = memref.alloc() {{.*}} : memref<2x4xf32>
// CHECK-DAG:     %[[V2:.+]] = memref.cast %[[V]]
// CHECK:         call @sparsam_svd_f32(%[[W2]], %[[U2]], %[[V2]])
// CHECK-DAG:     %[[UT:.+]] = bufferization.to_tensor %[[U]] restrict writable
// CHECK-DAG:     %[[VT:.+]] = bufferization.to_tensor %[[V]] restrict writable
// CHECK:         return %[[UT]], %[[VT]]
func.func @factorize(%w: tensor<16x4xf32>) -> (tensor<16x2xf32>, tensor<2x4xf32>) {
  %u, %v = sparsam.factorize %w {structure = #sparsam.low_rank<2>}
      : (tensor<16x4xf32>) -> (tensor<16x2xf32>, tensor<2x4xf32>)
  return %u, %v : tensor<16x2xf32>, tensor<2x4xf32>
}

func.func @factorize_other_shape(%w: tensor<8x8xf32>) -> (tensor<8x3xf32>, tensor<3x8xf32>) {
  %u, %v = sparsam.factorize %w {structure = #sparsam.low_rank<3>}
      : (tensor<8x8xf32>) -> (tensor<8x3xf32>, tensor<3x8xf32>)
  return %u, %v : tensor<8x3xf32>, tensor<3x8xf32>
}

func.func @factorize_double(%w: tensor<8x8xf64>) -> (tensor<8x3xf64>, tensor<3x8xf64>) {
  %u, %v = sparsam.factorize %w {structure = #sparsam.low_rank<3>}
      : (tensor<8x8xf64>) -> (tensor<8x3xf64>, tensor<3x8xf64>)
  return %u, %v : tensor<8x3xf64>, tensor<3x8xf64>
}
