// RUN: sparsam-opt %s --sparsam-list-groups --verify-diagnostics --split-input-file -o /dev/null

// What the first layer yields and the second takes is one axis.
// expected-remark @below {{group "w:1" has 8 entries: w:1, v:0}}
// expected-remark @below {{group "w:0" of 5 entries (w:0) cannot be sliced: argument 2 has it, which is no parameter}}
func.func @step(%w: tensor<5x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                // expected-remark @below {{group "v:1" of 3 entries (v:1) cannot be sliced: argument 3 has it, which is no parameter}}
                %v: tensor<8x3xf32> {sparsam.param = "v", sparsam.updates = 1 : i64},
                // expected-note @below {{here}}
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

// -----

// Heads are split off by a reshape, and lie in segments of a fused product.
// expected-remark @below {{group "qkv:1[2x(3)x4]" has 3 entries: qkv:1[2x(3)x4]}}
// expected-remark @below {{group "qkv:1[6x(4)]" of 4 entries (qkv:1[6x(4)]) cannot be sliced: a constant has other entries along it}}
// expected-remark @below {{group "qkv:0" of 5 entries (qkv:0) cannot be sliced: argument 1 has it, which is no parameter}}
func.func @heads(%qkv: tensor<5x24xf32> {sparsam.param = "qkv"},
                 // expected-note @below {{here}}
                 %x: tensor<2x5xf32>) -> tensor<2xf32> {
  %zero = arith.constant 0.0 : f32
  // expected-note @below {{here}}
  %scale = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %e = tensor.empty() : tensor<2x24xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x24xf32>) -> tensor<2x24xf32>
  %y = linalg.matmul ins(%x, %qkv : tensor<2x5xf32>, tensor<5x24xf32>)
      outs(%z : tensor<2x24xf32>) -> tensor<2x24xf32>
  %q = tensor.extract_slice %y[0, 0] [2, 12] [1, 1] : tensor<2x24xf32> to tensor<2x12xf32>
  %k = tensor.extract_slice %y[0, 12] [2, 12] [1, 1] : tensor<2x24xf32> to tensor<2x12xf32>
  %qh = tensor.expand_shape %q [[0], [1, 2]] output_shape [2, 3, 4]
      : tensor<2x12xf32> into tensor<2x3x4xf32>
  %kh = tensor.expand_shape %k [[0], [1, 2]] output_shape [2, 3, 4]
      : tensor<2x12xf32> into tensor<2x3x4xf32>
  %e1 = tensor.empty() : tensor<2xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2xf32>) -> tensor<2xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(b, h, d) -> (b, h, d)>,
                                        affine_map<(b, h, d) -> (b, h, d)>,
                                        affine_map<(b, h, d) -> (d)>, affine_map<(b, h, d) -> (b)>],
                       iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%qh, %kh, %scale : tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<4xf32>)
      outs(%z1 : tensor<2xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32, %out: f32):
      %0 = arith.mulf %a, %b : f32
      %1 = arith.mulf %0, %c : f32
      %2 = arith.addf %out, %1 : f32
      linalg.yield %2 : f32
    } -> tensor<2xf32>
  return %s : tensor<2xf32>
}
