// RUN: sparsam-opt %s --sparsam-unfold-convolutions -split-input-file | FileCheck %s

// The windows of x, of stride 2, as an 8x9 matrix times w as 9x5.
//       CHECK: #[[READ:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1 * 2 + d2, d3)>
// CHECK-LABEL: func @forward(
//  CHECK-SAME:     %[[X:.*]]: tensor<2x9x3xf32>, %[[W:.*]]: tensor<3x3x5xf32>)
//       CHECK:   %[[P:.*]] = linalg.generic {indexing_maps = [#[[READ]], {{.*}} ins(%[[X]] : tensor<2x9x3xf32>) outs(%{{.*}} : tensor<2x4x3x3xf32>)
//   CHECK-DAG:   %[[PM:.*]] = tensor.collapse_shape %[[P]] {{\[}}[0, 1], [2, 3]]
//   CHECK-DAG:   %[[WM:.*]] = tensor.collapse_shape %[[W]] {{\[}}[0, 1], [2]]
//       CHECK:   linalg.matmul ins(%[[PM]], %[[WM]] : tensor<8x9xf32>, tensor<9x5xf32>)
func.func @forward(%x: tensor<2x9x3xf32>, %w: tensor<3x3x5xf32>) -> tensor<2x4x5xf32> {
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x4x5xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %y = linalg.conv_1d_nwc_wcf {dilations = dense<1> : tensor<1xi64>, strides = dense<2> : tensor<1xi64>}
      ins(%x, %w : tensor<2x9x3xf32>, tensor<3x3x5xf32>)
      outs(%z : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %y : tensor<2x4x5xf32>
}

// -----

// What lies in zeros with zeros between is multiplied without them; what falls on one
// place is summed after.
// CHECK-LABEL: func @dilated_input(
//  CHECK-SAME:     %[[DY:.*]]: tensor<2x4x6xf32>, %{{.*}}: tensor<3x6x4xf32>)
//       CHECK:   %[[M:.*]] = tensor.collapse_shape %[[DY]] {{\[}}[0, 1], [2]]
//       CHECK:   linalg.matmul ins(%[[M]], %{{.*}} : tensor<8x6xf32>, tensor<6x12xf32>)
//       CHECK:   tensor.insert_slice %{{.*}} into %{{.*}}[0, 2, 0, 0] [2, 4, 3, 4] [1, 2, 1, 1]
//       CHECK:   linalg.generic {{.*}}"parallel", "parallel", "parallel", "reduction"]
//   CHECK-NOT:   conv_1d
func.func @dilated_input(%dy: tensor<2x4x6xf32>, %w: tensor<3x6x4xf32>) -> tensor<2x9x4xf32> {
  %c = arith.constant 0.0 : f32
  %de = tensor.empty() : tensor<2x11x6xf32>
  %dz = linalg.fill ins(%c : f32) outs(%de : tensor<2x11x6xf32>) -> tensor<2x11x6xf32>
  %d = tensor.insert_slice %dy into %dz[0, 2, 0] [2, 4, 6] [1, 2, 1]
      : tensor<2x4x6xf32> into tensor<2x11x6xf32>
  %e = tensor.empty() : tensor<2x9x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x9x4xf32>) -> tensor<2x9x4xf32>
  %dx = linalg.conv_1d_nwc_wcf {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%d, %w : tensor<2x11x6xf32>, tensor<3x6x4xf32>)
      outs(%z : tensor<2x9x4xf32>) -> tensor<2x9x4xf32>
  return %dx : tensor<2x9x4xf32>
}

// -----

// Padding becomes a copy into zeros.
// CHECK-LABEL: func @padded(
//       CHECK:   %[[ZEROS:.*]] = linalg.fill
//       CHECK:   tensor.insert_slice %{{.*}} into %[[ZEROS]][0, 1, 0] [2, 8, 3] [1, 1, 1]
func.func @padded(%x: tensor<2x8x3xf32>) -> tensor<2x10x3xf32> {
  %c = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 1, 0] high[0, 1, 0] {
  ^bb0(%a0: index, %a1: index, %a2: index):
    tensor.yield %c : f32
  } : tensor<2x8x3xf32> to tensor<2x10x3xf32>
  return %p : tensor<2x10x3xf32>
}

// -----

// An ordinary product is no convolution, whatever constants its maps have.
// CHECK-LABEL: func @product(
//  CHECK-NEXT:   linalg.generic
//  CHECK-SAME:     ins(%{{.*}} : tensor<8x1x3xf32>, tensor<3x5xf32>)
//       CHECK:   return
func.func @product(%x: tensor<8x1x3xf32>, %w: tensor<3x5xf32>, %z: tensor<8x5xf32>) -> tensor<8x5xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(i, o, c) -> (i, 0, c)>,
          affine_map<(i, o, c) -> (c, o)>, affine_map<(i, o, c) -> (i, o)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<8x1x3xf32>, tensor<3x5xf32>) outs(%z : tensor<8x5xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<8x5xf32>
  return %y : tensor<8x5xf32>
}
