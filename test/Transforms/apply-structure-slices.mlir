// RUN: sparsam-opt %s --sparsam-apply-structure --verify-diagnostics | FileCheck %s

// A request is extended over what is coupled: what the first layer yields, the second takes.
// CHECK-LABEL: func.func @step
//  CHECK-SAME:   tensor<5x8xf32, #sparsam.slice<group = "w:1", keep = 6, columns = [0:1x8x1]>>
//  CHECK-SAME:   tensor<8x3xf32, #sparsam.slice<group = "w:1", keep = 6, rows = [0:1x8x1]>>
func.func @step(%w: tensor<5x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64,
                                    sparsam.structure = #sparsam.slice<keep = 0.75>},
                // expected-remark @below {{v is sliced too: it is coupled by group "w:1"}}
                %v: tensor<8x3xf32> {sparsam.param = "v", sparsam.updates = 1 : i64},
                %x: tensor<4x5xf32>, %dy: tensor<4x3xf32>)
    -> (tensor<5x8xf32>, tensor<8x3xf32>) {
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<4x8xf32>
  %z0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<4x8xf32>) -> tensor<4x8xf32>
  %h = linalg.matmul ins(%x, %w : tensor<4x5xf32>, tensor<5x8xf32>)
      outs(%z0 : tensor<4x8xf32>) -> tensor<4x8xf32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%h : tensor<4x8xf32>) outs(%e0 : tensor<4x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %s = math.exp %in : f32
      linalg.yield %s : f32
    } -> tensor<4x8xf32>
  %da = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                       affine_map<(m, n, k) -> (m, n)>]
      ins(%dy, %v : tensor<4x3xf32>, tensor<8x3xf32>) outs(%z0 : tensor<4x8xf32>) -> tensor<4x8xf32>
  %dh = arith.mulf %da, %a : tensor<4x8xf32>
  %e1 = tensor.empty() : tensor<8x3xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x3xf32>) -> tensor<8x3xf32>
  %dv0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
                                       affine_map<(m, n, k) -> (m, n)>]
      ins(%a, %dy : tensor<4x8xf32>, tensor<4x3xf32>) outs(%z1 : tensor<8x3xf32>) -> tensor<8x3xf32>
  %e2 = tensor.empty() : tensor<5x8xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<5x8xf32>) -> tensor<5x8xf32>
  %dw0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
                                       affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %dh : tensor<4x5xf32>, tensor<4x8xf32>) outs(%z2 : tensor<5x8xf32>) -> tensor<5x8xf32>
  %dw = sparsam.gradient %dw0 of "w" : tensor<5x8xf32>
  %dv = sparsam.gradient %dv0 of "v" : tensor<8x3xf32>
  %w1 = arith.subf %w, %dw : tensor<5x8xf32>
  %v1 = arith.subf %v, %dv : tensor<8x3xf32>
  return %w1, %v1 : tensor<5x8xf32>, tensor<8x3xf32>
}
