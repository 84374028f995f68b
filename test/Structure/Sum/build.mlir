// RUN: sparsam-opt %s -sparsam-lower-storage | FileCheck %s

// The pattern is selected on what the factors leave, and the values are its.
// CHECK-LABEL: func @factorize
// CHECK-SAME:    (%[[W:.+]]: tensor<16x8xf32>)
// CHECK:         call @sparsam_svd_f32
// CHECK:         %[[U:.+]] = bufferization.to_tensor {{.*}} to tensor<16x2xf32>
// CHECK:         %[[V:.+]] = bufferization.to_tensor {{.*}} to tensor<2x8xf32>
// CHECK:         %[[P:.+]] = linalg.matmul ins(%[[U]], %[[V]] :
// CHECK:         %[[R:.+]] = linalg.generic {{.*}} ins(%[[W]], %[[P]] :
// CHECK:           arith.subf
// CHECK:         tensor.extract %[[R]]
func.func @factorize(%w: tensor<16x8xf32>)
    -> (tensor<16x2xf32>, tensor<2x8xf32>, tensor<8x8x1xf32>, tensor<8x8xi16>) {
  %0:4 = sparsam.factorize %w {structure = #sparsam.sum<low_rank<2>, nm<2:4>>}
      : (tensor<16x8xf32>) -> (tensor<16x2xf32>, tensor<2x8xf32>, tensor<8x8x1xf32>, tensor<8x8xi16>)
  return %0#0, %0#1, %0#2, %0#3 : tensor<16x2xf32>, tensor<2x8xf32>, tensor<8x8x1xf32>, tensor<8x8xi16>
}

// A pattern that is given is not selected.
// CHECK-LABEL: func @on_pattern
// CHECK-SAME:    (%{{.+}}: tensor<16x8xf32>, %[[I:.+]]: tensor<8x8xi16>)
// CHECK:         call @sparsam_svd_f32
// CHECK:         arith.subf
// CHECK-NOT:     arith.cmpf
// CHECK:         linalg.generic {{.*}} ins(%[[I]] :
// CHECK:         return
func.func @on_pattern(%w: tensor<16x8xf32>, %i: tensor<8x8xi16>)
    -> (tensor<16x2xf32>, tensor<2x8xf32>, tensor<8x8x1xf32>) {
  %0:3 = sparsam.factorize %w on %i {structure = #sparsam.sum<low_rank<2>, nm<2:4>>}
      : (tensor<16x8xf32>, tensor<8x8xi16>) -> (tensor<16x2xf32>, tensor<2x8xf32>, tensor<8x8x1xf32>)
  return %0#0, %0#1, %0#2 : tensor<16x2xf32>, tensor<2x8xf32>, tensor<8x8x1xf32>
}
