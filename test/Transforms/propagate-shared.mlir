// RUN: sparsam-opt %s -sparsam-find-parameters \
// RUN:   -sparsam-apply-structure="structures={w=tensor_train<[4, 4], [4, 4], ranks = [2]>}" \
// RUN:   -sparsam-expand-storage=companions=false -sparsam-propagate -sparsam-count-flops \
// RUN:   2>&1 >/dev/null | FileCheck %s

// Rule 7: each of the four chains (y, dx and the gradients of two cores) has two orders that
// cost the same, 512 FLOPs a row. Together they cost three times that for 8 rows only if
// x times one core, and dy times the other, are in two of them each.
// CHECK: @step has 12288 FLOPs in products: contractions 12288
#map = affine_map<(k, n) -> (k, n)>
func.func @step(%w: tensor<16x16xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                %x: tensor<8x16xf32>, %dy: tensor<8x16xf32>)
    -> (tensor<16x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x16xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x16xf32>)
      outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32>
  %ew = tensor.empty() : tensor<16x16xf32>
  %wt = linalg.transpose ins(%w : tensor<16x16xf32>) outs(%ew : tensor<16x16xf32>)
      permutation = [1, 0]
  %dx = linalg.matmul ins(%dy, %wt : tensor<8x16xf32>, tensor<16x16xf32>)
      outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32>
  %et = tensor.empty() : tensor<16x8xf32>
  %xt = linalg.transpose ins(%x : tensor<8x16xf32>) outs(%et : tensor<16x8xf32>)
      permutation = [1, 0]
  %zg = linalg.fill ins(%zero : f32) outs(%ew : tensor<16x16xf32>) -> tensor<16x16xf32>
  %g = linalg.matmul ins(%xt, %dy : tensor<16x8xf32>, tensor<8x16xf32>)
      outs(%zg : tensor<16x16xf32>) -> tensor<16x16xf32>
  %new = linalg.generic {indexing_maps = [#map, #map, #map],
                         iterator_types = ["parallel", "parallel"]}
      ins(%w, %g : tensor<16x16xf32>, tensor<16x16xf32>) outs(%ew : tensor<16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.subf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<16x16xf32>
  return %new, %y, %dx : tensor<16x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>
}
