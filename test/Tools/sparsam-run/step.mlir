// A step as a front end hands it over, dense and pruned: compress gives the storage
// that the pruned step then trains.
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/Inputs/regression.py make %t
// RUN: sparsam-run %s --args %t/dense.npz --steps 5 --results %t/dense-out.npz 2>/dev/null
// RUN: sparsam-run %s --pipeline "sparsam-cpu-pipeline{structures=w=nm<2:4>}" --args %t/dense.npz \
// RUN:   --function compress --results %t/storage.npz 2>/dev/null
// RUN: %python %S/Inputs/regression.py merge %t
// RUN: sparsam-run %s --pipeline "sparsam-cpu-pipeline{structures=w=nm<2:4>}" --args %t/pruned.npz \
// RUN:   --steps 5 --results %t/pruned-out.npz 2>/dev/null
// RUN: %python %S/Inputs/regression.py check %t

// Indices that no selection made are refused before anything is computed.
// RUN: %python %S/Inputs/regression.py spoil %t
// RUN: not sparsam-run %s --pipeline "sparsam-cpu-pipeline{structures=w=nm<2:4>}" --args %t/bad.npz 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: bad.npz': array '0/w/indices' is no pattern of nm<2:4>: indices[0, 0] is 30000, expected an input from 0 to 3

// loss = sum((x w - y)^2); w -= 0.01 x^T (x w - y)
#id = affine_map<(d0, d1) -> (d0, d1)>
#none = affine_map<(d0, d1) -> ()>
func.func @step(
    %w: tensor<8x4xf32> {sparsam.name = "0/w", sparsam.param = "w", sparsam.updates = 0 : i64},
    %x: tensor<6x8xf32> {sparsam.name = "x"}, %y: tensor<6x4xf32> {sparsam.name = "y"})
    -> (tensor<8x4xf32>, tensor<f32> {sparsam.name = "loss"}) {
  %zero = arith.constant 0.0 : f32
  %rate = arith.constant 0.01 : f32
  %0 = tensor.empty() : tensor<6x4xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<6x4xf32>) -> tensor<6x4xf32>
  %2 = linalg.matmul ins(%x, %w : tensor<6x8xf32>, tensor<8x4xf32>) outs(%1 : tensor<6x4xf32>) -> tensor<6x4xf32>
  %error = linalg.sub ins(%2, %y : tensor<6x4xf32>, tensor<6x4xf32>) outs(%0 : tensor<6x4xf32>) -> tensor<6x4xf32>
  %3 = tensor.empty() : tensor<f32>
  %4 = linalg.fill ins(%zero : f32) outs(%3 : tensor<f32>) -> tensor<f32>
  %loss = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction", "reduction"]}
      ins(%error : tensor<6x4xf32>) outs(%4 : tensor<f32>) {
  ^bb0(%e: f32, %sum: f32):
    %square = arith.mulf %e, %e : f32
    %next = arith.addf %sum, %square : f32
    linalg.yield %next : f32
  } -> tensor<f32>
  %5 = tensor.empty() : tensor<8x6xf32>
  %xt = linalg.transpose ins(%x : tensor<6x8xf32>) outs(%5 : tensor<8x6xf32>) permutation = [1, 0]
  %6 = tensor.empty() : tensor<8x4xf32>
  %7 = linalg.fill ins(%zero : f32) outs(%6 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %gradient = linalg.matmul ins(%xt, %error : tensor<8x6xf32>, tensor<6x4xf32>) outs(%7 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %new = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w, %gradient : tensor<8x4xf32>, tensor<8x4xf32>) outs(%6 : tensor<8x4xf32>) {
  ^bb0(%a: f32, %g: f32, %o: f32):
    %change = arith.mulf %g, %rate : f32
    %b = arith.subf %a, %change : f32
    linalg.yield %b : f32
  } -> tensor<8x4xf32>
  return %new, %loss : tensor<8x4xf32>, tensor<f32>
}
