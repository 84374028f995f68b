// RUN: sparsam-opt %s --sparsam-propagate --split-input-file --verify-diagnostics | FileCheck %s

// A product in bf16 is one in f32 of what its operands are, rounded at its end: then it is
// an spmm, and its entries on a pattern are an sddmm. What is rounded stays rounded.
#id = affine_map<(m, n) -> (m, n)>
// CHECK-LABEL: func @bf16(
//       CHECK:   linalg.generic {{.*}} ins(%{{.*}} : tensor<4x8x1xf32>)
//       CHECK:   arith.truncf
//       CHECK:   linalg.generic {{.*}} outs({{.*}} : tensor<4x8x1xf32>)
//       CHECK:   arith.extf
//       CHECK:   %[[Y:.*]] = sparsam.spmm
//  CHECK-SAME:     (tensor<8x16xf32>, tensor<4x8x1xf32>, tensor<4x8xi16>, tensor<8x4xf32>)
//       CHECK:   %[[ROUNDED:.*]] = linalg.generic {{.*}} ins(%[[Y]]
//       CHECK:   arith.truncf
//       CHECK:   %[[G:.*]] = sparsam.sddmm
//       CHECK:   linalg.generic {{.*}} ins(%[[G]]
//       CHECK:   arith.truncf
//       CHECK:   arith.extf
//       CHECK:   return %[[ROUNDED]]
func.func @bf16(%x: tensor<8x16xbf16>, %dy: tensor<8x4xbf16>, %v: tensor<4x8x1xf32>,
                %i: tensor<4x8xi16>) -> (tensor<8x4xbf16>, tensor<4x8x1xf32>) {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>}
      : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %we = tensor.empty() : tensor<16x4xbf16>
  %wb = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<16x4xf32>) outs(%we : tensor<16x4xbf16>) {
  ^bb0(%in: f32, %o: bf16):
    %t = arith.truncf %in : f32 to bf16
    linalg.yield %t : bf16
  } -> tensor<16x4xbf16>
  %c = arith.constant 0.0 : bf16
  %e = tensor.empty() : tensor<8x4xbf16>
  %z = linalg.fill ins(%c : bf16) outs(%e : tensor<8x4xbf16>) -> tensor<8x4xbf16>
  %y = linalg.matmul ins(%x, %wb : tensor<8x16xbf16>, tensor<16x4xbf16>)
      outs(%z : tensor<8x4xbf16>) -> tensor<8x4xbf16>
  %gz = linalg.fill ins(%c : bf16) outs(%we : tensor<16x4xbf16>) -> tensor<16x4xbf16>
  %g = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>,
                                      affine_map<(m, n, k) -> (k, n)>,
                                      affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %dy : tensor<8x16xbf16>, tensor<8x4xbf16>)
      outs(%gz : tensor<16x4xbf16>) -> tensor<16x4xbf16>
  %ge = tensor.empty() : tensor<16x4xf32>
  %gf = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g : tensor<16x4xbf16>) outs(%ge : tensor<16x4xf32>) {
  ^bb0(%in: bf16, %o: f32):
    %t = arith.extf %in : bf16 to f32
    linalg.yield %t : f32
  } -> tensor<16x4xf32>
  %r = sparsam.restrict %gf on %i {structure = #sparsam.nm<2:4>}
      : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %y, %r : tensor<8x4xbf16>, tensor<4x8x1xf32>
}

// -----

// Operands of two types, with the sum in f32.
// CHECK-LABEL: func @mixed(
//       CHECK:   %[[Y:.*]] = sparsam.spmm
//       CHECK:   return %[[Y]]
func.func @mixed(%x: tensor<8x16xbf16>, %v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>)
    -> tensor<8x4xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>}
      : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x16xbf16>, tensor<16x4xf32>)
      outs(%z : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

// Factors: W and its gradient, which would be rounded, do not exist.
#id = affine_map<(m, n) -> (m, n)>
// CHECK-LABEL: func @factors(
//   CHECK-NOT:   tensor<16x4x
//       CHECK:   linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<8x16xf32>, tensor<16x2xf32>)
//       CHECK:   linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<8x2xf32>, tensor<2x4xf32>)
//   CHECK-NOT:   tensor<16x4x
func.func @factors(%x: tensor<8x16xbf16>, %dy: tensor<8x4xbf16>,
                   %u: tensor<16x2xf32> {sparsam.param = "w"},
                   %v: tensor<2x4xf32> {sparsam.param = "w"})
    -> (tensor<8x4xbf16>, tensor<2x4xf32>) {
  %w = sparsam.einsum "kr,rn->kn"(%u, %v)
      : (tensor<16x2xf32>, tensor<2x4xf32>) -> tensor<16x4xf32>
  %we = tensor.empty() : tensor<16x4xbf16>
  %wb = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<16x4xf32>) outs(%we : tensor<16x4xbf16>) {
  ^bb0(%in: f32, %o: bf16):
    %t = arith.truncf %in : f32 to bf16
    linalg.yield %t : bf16
  } -> tensor<16x4xbf16>
  %c = arith.constant 0.0 : bf16
  %e = tensor.empty() : tensor<8x4xbf16>
  %z = linalg.fill ins(%c : bf16) outs(%e : tensor<8x4xbf16>) -> tensor<8x4xbf16>
  %y = linalg.matmul ins(%x, %wb : tensor<8x16xbf16>, tensor<16x4xbf16>)
      outs(%z : tensor<8x4xbf16>) -> tensor<8x4xbf16>
  %gz = linalg.fill ins(%c : bf16) outs(%we : tensor<16x4xbf16>) -> tensor<16x4xbf16>
  %g = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>,
                                      affine_map<(m, n, k) -> (k, n)>,
                                      affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %dy : tensor<8x16xbf16>, tensor<8x4xbf16>)
      outs(%gz : tensor<16x4xbf16>) -> tensor<16x4xbf16>
  %ge = tensor.empty() : tensor<16x4xf32>
  %gf = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g : tensor<16x4xbf16>) outs(%ge : tensor<16x4xf32>) {
  ^bb0(%in: bf16, %o: f32):
    %t = arith.extf %in : bf16 to f32
    linalg.yield %t : f32
  } -> tensor<16x4xf32>
  %dv = sparsam.einsum "kn,kr->rn"(%gf, %u)
      : (tensor<16x4xf32>, tensor<16x2xf32>) -> tensor<2x4xf32>
  return %y, %dv : tensor<8x4xbf16>, tensor<2x4xf32>
}
