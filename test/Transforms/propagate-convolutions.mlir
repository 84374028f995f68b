// RUN: sparsam-opt %s --sparsam-propagate --split-input-file --verify-diagnostics | FileCheck %s

// Forward, of stride 2: the windows of x, as a matrix, times what is stored.
//       CHECK: #[[READ:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 * 2 + d3, d2 * 2 + d4, d5)>
// CHECK-LABEL: func @forward(
//  CHECK-SAME:     %[[X:.*]]: tensor<2x9x9x4xf32>, %[[V:.*]]: tensor<6x18x1xf32>, %[[I:.*]]: tensor<6x18xi16>)
//   CHECK-NOT:   densify
//       CHECK:   %[[P:.*]] = linalg.generic {indexing_maps = [#[[READ]], {{.*}} ins(%[[X]]
//       CHECK:   %[[M:.*]] = tensor.collapse_shape %[[P]] {{\[}}[0, 1, 2], [3, 4, 5]] : tensor<2x4x4x3x3x4xf32>
//       CHECK:   sparsam.spmm %[[M]], %[[V]], %[[I]]
//   CHECK-NOT:   conv_2d
func.func @forward(%x: tensor<2x9x9x4xf32>, %v: tensor<6x18x1xf32>, %i: tensor<6x18xi16>)
    -> tensor<2x4x4x6xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, in = [0, 1, 2]>}
      : (tensor<6x18x1xf32>, tensor<6x18xi16>) -> tensor<3x3x4x6xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x4x4x6xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x4x4x6xf32>) -> tensor<2x4x4x6xf32>
  %y = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
      ins(%x, %w : tensor<2x9x9x4xf32>, tensor<3x3x4x6xf32>)
      outs(%z : tensor<2x4x4x6xf32>) -> tensor<2x4x4x6xf32>
  return %y : tensor<2x4x4x6xf32>
}

// -----

// Onto a bias, channels first: the bias is added behind the product.
// CHECK-LABEL: func @channels_first(
//  CHECK-SAME:     %{{[^:]*}}: tensor<2x4x9x9xf32>, %[[B:[^:]*]]: tensor<2x6x7x7xf32>,
//       CHECK:   sparsam.spmm %{{.*}} : (tensor<98x36xf32>,
//       CHECK:   linalg.generic {{.*}} ins(%[[B]], %{{.*}}
//       CHECK:     arith.addf
func.func @channels_first(%x: tensor<2x4x9x9xf32>, %b: tensor<2x6x7x7xf32>,
                          %v: tensor<6x18x1xf32>, %i: tensor<6x18xi16>)
    -> tensor<2x6x7x7xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, in = [1, 2, 3]>}
      : (tensor<6x18x1xf32>, tensor<6x18xi16>) -> tensor<6x4x3x3xf32>
  %y = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<2x4x9x9xf32>, tensor<6x4x3x3xf32>)
      outs(%b : tensor<2x6x7x7xf32>) -> tensor<2x6x7x7xf32>
  return %y : tensor<2x6x7x7xf32>
}

// -----

// A 1x1 filter reads no windows.
// CHECK-LABEL: func @pointwise(
//  CHECK-SAME:     %[[X:[^:]*]]: tensor<2x5x5x4xf32>,
//  CHECK-NEXT:   %[[M:.*]] = tensor.collapse_shape %[[X]]
//       CHECK:   sparsam.spmm %[[M]],
func.func @pointwise(%x: tensor<2x5x5x4xf32>, %v: tensor<6x2x1xf32>, %i: tensor<6x2xi16>)
    -> tensor<2x5x5x6xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, in = [2]>}
      : (tensor<6x2x1xf32>, tensor<6x2xi16>) -> tensor<1x1x4x6xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x5x5x6xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x5x5x6xf32>) -> tensor<2x5x5x6xf32>
  %y = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<2x5x5x4xf32>, tensor<1x1x4x6xf32>)
      outs(%z : tensor<2x5x5x6xf32>) -> tensor<2x5x5x6xf32>
  return %y : tensor<2x5x5x6xf32>
}

// -----

// Backward to the input of a stride of 2, as importers leave it: dy dilated, the filter
// reversed and transposed. The product is one with W^T of dy alone; its rows are then
// put where those of dy were and summed, with the windows reversed instead of W.
//       CHECK: #[[READ:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1 - d3 + 2, d3, d2)>
// CHECK-LABEL: func @backward_input(
//  CHECK-SAME:     %[[DY:[^:]*]]: tensor<2x4x6xf32>,
//   CHECK-NOT:   densify
//       CHECK:   %[[M:.*]] = tensor.collapse_shape %[[DY]]
//       CHECK:   %[[P:.*]] = sparsam.spmm %[[M]], %{{.*}} {structure = #sparsam.nm<2:4>, transposed}
//  CHECK-SAME:       -> tensor<8x12xf32>
//       CHECK:   %[[X:.*]] = tensor.expand_shape %[[P]]
//       CHECK:   %[[S:.*]] = tensor.insert_slice %[[X]] into %{{.*}}[0, 2, 0, 0] [2, 4, 3, 4] [1, 2, 1, 1]
//       CHECK:   linalg.generic {indexing_maps = [#[[READ]], {{.*}}, iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%[[S]]
//       CHECK:     arith.addf
//   CHECK-NOT:   conv_1d
#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
func.func @backward_input(%dy: tensor<2x4x6xf32>, %v: tensor<6x6x1xf32>, %i: tensor<6x6xi16>)
    -> tensor<2x9x4xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, in = [0, 1]>}
      : (tensor<6x6x1xf32>, tensor<6x6xi16>) -> tensor<3x4x6xf32>
  %c = arith.constant 0.0 : f32
  %c2 = arith.constant 2 : index
  %re = tensor.empty() : tensor<3x4x6xf32>
  %r = linalg.generic {indexing_maps = [#id3], iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%re : tensor<3x4x6xf32>) {
  ^bb0(%out: f32):
    %0 = linalg.index 0 : index
    %1 = arith.subi %c2, %0 : index
    %2 = linalg.index 1 : index
    %3 = linalg.index 2 : index
    %4 = tensor.extract %w[%1, %2, %3] : tensor<3x4x6xf32>
    linalg.yield %4 : f32
  } -> tensor<3x4x6xf32>
  %te = tensor.empty() : tensor<3x6x4xf32>
  %t = linalg.transpose ins(%r : tensor<3x4x6xf32>) outs(%te : tensor<3x6x4xf32>)
      permutation = [0, 2, 1]
  %de = tensor.empty() : tensor<2x11x6xf32>
  %dz = linalg.fill ins(%c : f32) outs(%de : tensor<2x11x6xf32>) -> tensor<2x11x6xf32>
  %d = tensor.insert_slice %dy into %dz[0, 2, 0] [2, 4, 6] [1, 2, 1]
      : tensor<2x4x6xf32> into tensor<2x11x6xf32>
  %e = tensor.empty() : tensor<2x9x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x9x4xf32>) -> tensor<2x9x4xf32>
  %dx = linalg.conv_1d_nwc_wcf {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%d, %t : tensor<2x11x6xf32>, tensor<3x6x4xf32>)
      outs(%z : tensor<2x9x4xf32>) -> tensor<2x9x4xf32>
  return %dx : tensor<2x9x4xf32>
}

// -----

// Forward and backward to the filter, which importers write as a convolution of the
// transposed x: the windows are the same, and made once.
// CHECK-LABEL: func @backward_filter(
//       CHECK:   %[[PAD:.*]] = tensor.pad %{{.*}} low[0, 1, 0] high[0, 1, 0]
//       CHECK:   %[[P:.*]] = linalg.generic {{.*}} ins(%[[PAD]]
//       CHECK:   %[[M:.*]] = tensor.collapse_shape %[[P]]
//       CHECK:   sparsam.spmm %[[M]],
//   CHECK-NOT:   conv_1d
//       CHECK:   sparsam.sddmm %[[M]], %{{.*}} : (tensor<16x12xf32>, tensor<16x6xf32>,
func.func @backward_filter(%x: tensor<2x8x4xf32>, %dy: tensor<2x8x6xf32>,
                           %v: tensor<6x6x1xf32>, %i: tensor<6x6xi16>)
    -> (tensor<2x8x6xf32>, tensor<6x6x1xf32>) {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, in = [0, 1]>}
      : (tensor<6x6x1xf32>, tensor<6x6xi16>) -> tensor<3x4x6xf32>
  %c = arith.constant 0.0 : f32
  %px = tensor.pad %x low[0, 1, 0] high[0, 1, 0] {
  ^bb0(%a0: index, %a1: index, %a2: index):
    tensor.yield %c : f32
  } : tensor<2x8x4xf32> to tensor<2x10x4xf32>
  %e = tensor.empty() : tensor<2x8x6xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x8x6xf32>) -> tensor<2x8x6xf32>
  %y = linalg.conv_1d_nwc_wcf {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%px, %w : tensor<2x10x4xf32>, tensor<3x4x6xf32>)
      outs(%z : tensor<2x8x6xf32>) -> tensor<2x8x6xf32>
  %xe = tensor.empty() : tensor<4x8x2xf32>
  %xt = linalg.transpose ins(%x : tensor<2x8x4xf32>) outs(%xe : tensor<4x8x2xf32>)
      permutation = [2, 1, 0]
  %pt = tensor.pad %xt low[0, 1, 0] high[0, 1, 0] {
  ^bb0(%a0: index, %a1: index, %a2: index):
    tensor.yield %c : f32
  } : tensor<4x8x2xf32> to tensor<4x10x2xf32>
  %ye = tensor.empty() : tensor<8x2x6xf32>
  %yt = linalg.transpose ins(%dy : tensor<2x8x6xf32>) outs(%ye : tensor<8x2x6xf32>)
      permutation = [1, 0, 2]
  %we = tensor.empty() : tensor<4x3x6xf32>
  %wz = linalg.fill ins(%c : f32) outs(%we : tensor<4x3x6xf32>) -> tensor<4x3x6xf32>
  %dwt = linalg.conv_1d_nwc_wcf {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%pt, %yt : tensor<4x10x2xf32>, tensor<8x2x6xf32>)
      outs(%wz : tensor<4x3x6xf32>) -> tensor<4x3x6xf32>
  %de = tensor.empty() : tensor<3x4x6xf32>
  %dw = linalg.transpose ins(%dwt : tensor<4x3x6xf32>) outs(%de : tensor<3x4x6xf32>)
      permutation = [1, 0, 2]
  %dv = sparsam.restrict %dw on %i {structure = #sparsam.nm<2:4, in = [0, 1]>}
      : (tensor<3x4x6xf32>, tensor<6x6xi16>) -> tensor<6x6x1xf32>
  return %y, %dv : tensor<2x8x6xf32>, tensor<6x6x1xf32>
}

// -----

// Factors: two small products of the windows.
// CHECK-LABEL: func @factors(
//  CHECK-SAME:     %{{[^:]*}}: tensor<2x10x4xf32>, %[[U:[^:]*]]: tensor<12x2xf32>, %[[V:[^:]*]]: tensor<2x6xf32>)
//       CHECK:   %[[XU:.*]] = linalg.matmul ins(%{{.*}}, %[[U]] : tensor<16x12xf32>, tensor<12x2xf32>)
//       CHECK:   linalg.matmul ins(%[[XU]], %[[V]] : tensor<16x2xf32>, tensor<2x6xf32>)
//   CHECK-NOT:   tensor<12x6xf32>
func.func @factors(%x: tensor<2x10x4xf32>, %u: tensor<12x2xf32>, %v: tensor<2x6xf32>)
    -> tensor<2x8x6xf32> {
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<2, in = [0, 1]>}
      : (tensor<12x2xf32>, tensor<2x6xf32>) -> tensor<3x4x6xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x8x6xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x8x6xf32>) -> tensor<2x8x6xf32>
  %y = linalg.conv_1d_nwc_wcf {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%x, %w : tensor<2x10x4xf32>, tensor<3x4x6xf32>)
      outs(%z : tensor<2x8x6xf32>) -> tensor<2x8x6xf32>
  return %y : tensor<2x8x6xf32>
}

// -----

// Factors of a grouped filter: the groups are a batch of the second product.
// CHECK-LABEL: func @factors_of_groups(
//   CHECK-NOT:   tensor<3x3x2x4xf32>
//       CHECK:   linalg.matmul ins({{.*}} : tensor<48x6xf32>, tensor<6x2xf32>)
//   CHECK-NOT:   tensor<6x12xf32>
//       CHECK:   return
#x = affine_map<(n, i, g, o, k, c) -> (n, i + k, g, c)>
#w = affine_map<(n, i, g, o, k, c) -> (k, c, g, o)>
#y = affine_map<(n, i, g, o, k, c) -> (n, i, g, o)>
func.func @factors_of_groups(%x: tensor<2x10x3x2xf32>, %u: tensor<6x2xf32>, %v: tensor<2x12xf32>)
    -> tensor<2x8x3x4xf32> {
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<2, in = [0, 1]>}
      : (tensor<6x2xf32>, tensor<2x12xf32>) -> tensor<3x2x12xf32>
  %wg = tensor.expand_shape %w [[0], [1], [2, 3]] output_shape [3, 2, 3, 4]
      : tensor<3x2x12xf32> into tensor<3x2x3x4xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x8x3x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x8x3x4xf32>) -> tensor<2x8x3x4xf32>
  %r = linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %wg : tensor<2x10x3x2xf32>, tensor<3x2x3x4xf32>) outs(%z : tensor<2x8x3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x8x3x4xf32>
  return %r : tensor<2x8x3x4xf32>
}
