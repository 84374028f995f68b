// RUN: sparsam-opt %s --sparsam-fold-transposes | FileCheck %s

#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#p3 = affine_map<(d0, d1, d2) -> (d1, d0, d2)>
#rot = affine_map<(d0, d1, d2) -> (d1, d2, d0)>
#x = affine_map<(m, n, k, l) -> (m, k, l)>
#w = affine_map<(m, n, k, l) -> (k, l, n)>
#y = affine_map<(m, n, k, l) -> (m, n)>
#bx = affine_map<(b, m, n, k) -> (b, m, k)>
#bw = affine_map<(b, m, n, k) -> (b, k, n)>
#by = affine_map<(b, m, n, k) -> (b, m, n)>

// With the copy folded the summed dimensions would come in another order than in the
// other operand; no GEMM reads that.

// CHECK-LABEL: func.func @order(
// CHECK: %[[COPY:.*]] = linalg.generic
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[COPY]] :
func.func @order(%x: tensor<8x2x3xf32>, %w: tensor<3x2x16xf32>, %init: tensor<8x16xf32>)
    -> tensor<8x16xf32> {
  %0 = tensor.empty() : tensor<2x3x16xf32>
  %t = linalg.generic {indexing_maps = [#p3, #id3],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%w : tensor<3x2x16xf32>) outs(%0 : tensor<2x3x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<2x3x16xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %t : tensor<8x2x3xf32>, tensor<2x3x16xf32>) outs(%init : tensor<8x16xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %out, %m : f32
    linalg.yield %s : f32
  } -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// A batch dimension innermost leaves nothing with unit stride.

// CHECK-LABEL: func.func @batch(
// CHECK: %[[COPY:.*]] = linalg.generic
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[COPY]] :
func.func @batch(%x: tensor<4x8x2xf32>, %w: tensor<2x16x4xf32>, %init: tensor<4x8x16xf32>)
    -> tensor<4x8x16xf32> {
  %0 = tensor.empty() : tensor<4x2x16xf32>
  %t = linalg.generic {indexing_maps = [#rot, #id3],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%w : tensor<2x16x4xf32>) outs(%0 : tensor<4x2x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<4x2x16xf32>
  %y = linalg.generic {indexing_maps = [#bx, #bw, #by],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %t : tensor<4x8x2xf32>, tensor<4x2x16xf32>) outs(%init : tensor<4x8x16xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %out, %m : f32
    linalg.yield %s : f32
  } -> tensor<4x8x16xf32>
  return %y : tensor<4x8x16xf32>
}
