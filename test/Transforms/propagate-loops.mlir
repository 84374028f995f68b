// RUN: sparsam-opt %s --sparsam-propagate --split-input-file --verify-diagnostics | FileCheck %s

// Rule 10: a loop over layers, as the transpose of a scan is, inserts what is stored of
// each layer's gradient. Nothing of the dense size is carried.
// CHECK-LABEL: func @layers(
//  CHECK-SAME:     %{{.*}}, %{{.*}}, %[[I:[^:]*]]: tensor<3x4x8xi16>
//   CHECK-NOT:   3x16x4xf32
//       CHECK:   %[[ZERO:.*]] = arith.constant dense<0.0{{.*}}> : tensor<3x4x8x1xf32>
//       CHECK:   %[[R:.*]] = scf.for %[[L:[^ ]*]] = {{.*}} iter_args(%[[ACC:[^ ]*]] = %[[ZERO]]) -> (tensor<3x4x8x1xf32>)
//       CHECK:     tensor.extract_slice %[[I]][%[[L]], 0, 0] [1, 4, 8]
//       CHECK:     sparsam.sddmm
//       CHECK:     tensor.insert_slice %{{.*}} into %[[ACC]][%[[L]], 0, 0, 0]
//   CHECK-NOT:   16x4xf32
//       CHECK:   return %[[R]]
func.func @layers(%a: tensor<3x8x16xf32>, %b: tensor<3x8x4xf32>, %i: tensor<3x4x8xi16>)
    -> tensor<3x4x8x1xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x16x4xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %dw = scf.for %l = %c0 to %c3 step %c1 iter_args(%acc = %zero) -> tensor<3x16x4xf32> {
    %al = tensor.extract_slice %a[%l, 0, 0] [1, 8, 16] [1, 1, 1]
        : tensor<3x8x16xf32> to tensor<8x16xf32>
    %bl = tensor.extract_slice %b[%l, 0, 0] [1, 8, 4] [1, 1, 1]
        : tensor<3x8x4xf32> to tensor<8x4xf32>
    %g = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>,
                                        affine_map<(m, n, k) -> (k, n)>,
                                        affine_map<(m, n, k) -> (m, n)>]
        ins(%al, %bl : tensor<8x16xf32>, tensor<8x4xf32>)
        outs(%z : tensor<16x4xf32>) -> tensor<16x4xf32>
    %next = tensor.insert_slice %g into %acc[%l, 0, 0] [1, 16, 4] [1, 1, 1]
        : tensor<16x4xf32> into tensor<3x16x4xf32>
    scf.yield %next : tensor<3x16x4xf32>
  }
  %r = sparsam.restrict %dw on %i {structure = #sparsam.nm<2:4, stack = [0]>}
      : (tensor<3x16x4xf32>, tensor<3x4x8xi16>) -> tensor<3x4x8x1xf32>
  return %r : tensor<3x4x8x1xf32>
}

// -----

// A gradient that is accumulated over parts of a batch, through a loop in the loop.
// CHECK-LABEL: func @accumulated(
//   CHECK-NOT:   16x4xf32
//       CHECK:   scf.for {{.*}} -> (tensor<4x8x1xf32>)
//       CHECK:     scf.for {{.*}} -> (tensor<4x8x1xf32>)
//       CHECK:       %[[G:.*]] = sparsam.sddmm
//       CHECK:       linalg.generic {{.*}} ins(%{{.*}}, %[[G]] : tensor<4x8x1xf32>, tensor<4x8x1xf32>)
//       CHECK:       arith.addf
//   CHECK-NOT:   16x4xf32
func.func @accumulated(%a: tensor<8x16xf32>, %b: tensor<8x4xf32>, %i: tensor<4x8xi16>)
    -> tensor<4x8x1xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %dw = scf.for %l = %c0 to %c3 step %c1 iter_args(%acc = %z) -> tensor<16x4xf32> {
    %inner = scf.for %m = %c0 to %c3 step %c1 iter_args(%sum = %acc) -> tensor<16x4xf32> {
      %g = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>,
                                          affine_map<(m, n, k) -> (k, n)>,
                                          affine_map<(m, n, k) -> (m, n)>]
          ins(%a, %b : tensor<8x16xf32>, tensor<8x4xf32>)
          outs(%z : tensor<16x4xf32>) -> tensor<16x4xf32>
      %next = linalg.add ins(%sum, %g : tensor<16x4xf32>, tensor<16x4xf32>)
          outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
      scf.yield %next : tensor<16x4xf32>
    }
    scf.yield %inner : tensor<16x4xf32>
  }
  %r = sparsam.restrict %dw on %i {structure = #sparsam.nm<2:4>}
      : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %r : tensor<4x8x1xf32>
}

// -----

// A loop that needs all of what it carries keeps it.
// CHECK-LABEL: func @needed(
//       CHECK:   %[[DW:.*]] = scf.for {{.*}} -> (tensor<16x4xf32>)
//       CHECK:   sparsam.restrict %[[DW]]
func.func @needed(%a: tensor<16x16xf32>, %w: tensor<16x4xf32>, %i: tensor<4x8xi16>)
    -> tensor<4x8x1xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  // expected-note @+1 {{made here}}
  %dw = scf.for %l = %c0 to %c3 step %c1 iter_args(%acc = %w) -> tensor<16x4xf32> {
    %next = linalg.matmul ins(%a, %acc : tensor<16x16xf32>, tensor<16x4xf32>)
        outs(%z : tensor<16x4xf32>) -> tensor<16x4xf32>
    scf.yield %next : tensor<16x4xf32>
  }
  // expected-remark @+1 {{is computed dense first: it is not a product}}
  %r = sparsam.restrict %dw on %i {structure = #sparsam.nm<2:4>}
      : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %r : tensor<4x8x1xf32>
}

// -----

// Factors: a layer of the parameter is the product of a layer of each, and the gradient
// of a factor is found a layer at a time.
// CHECK-LABEL: func @factors(
//  CHECK-SAME:     %[[X:[^:]*]]: tensor<8x16xf32>, %[[U:[^:]*]]: tensor<3x16x2xf32> {{.*}}, %[[V:[^:]*]]: tensor<3x2x16xf32>
//   CHECK-NOT:   16x16xf32
//       CHECK:   scf.for %[[L:[^ ]*]] = {{.*}} -> (tensor<8x16xf32>, tensor<3x2x16xf32>)
//   CHECK-DAG:     tensor.extract_slice %[[U]][%[[L]], 0, 0] [1, 16, 2]
//   CHECK-DAG:     tensor.extract_slice %[[V]][%[[L]], 0, 0] [1, 2, 16]
//       CHECK:     tensor.insert_slice %{{.*}} into %{{.*}}[%[[L]], 0, 0] [1, 2, 16]
//   CHECK-NOT:   16x16xf32
func.func @factors(%x: tensor<8x16xf32>, %u: tensor<3x16x2xf32> {sparsam.param = "w"},
                   %v: tensor<3x2x16xf32> {sparsam.param = "w"})
    -> (tensor<8x16xf32>, tensor<3x2x16xf32>) {
  %zero = arith.constant dense<0.0> : tensor<3x16x16xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x16xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<16x16xf32>) -> tensor<16x16xf32>
  %ye = tensor.empty() : tensor<8x16xf32>
  %yz = linalg.fill ins(%c : f32) outs(%ye : tensor<8x16xf32>) -> tensor<8x16xf32>
  %w = sparsam.einsum "Lkr,Lrn->Lkn"(%u, %v)
      : (tensor<3x16x2xf32>, tensor<3x2x16xf32>) -> tensor<3x16x16xf32>
  %y, %dw = scf.for %l = %c0 to %c3 step %c1 iter_args(%h = %x, %acc = %zero)
      -> (tensor<8x16xf32>, tensor<3x16x16xf32>) {
    %wl = tensor.extract_slice %w[%l, 0, 0] [1, 16, 16] [1, 1, 1]
        : tensor<3x16x16xf32> to tensor<16x16xf32>
    %n = linalg.matmul ins(%h, %wl : tensor<8x16xf32>, tensor<16x16xf32>)
        outs(%yz : tensor<8x16xf32>) -> tensor<8x16xf32>
    %g = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>,
                                        affine_map<(m, n, k) -> (k, n)>,
                                        affine_map<(m, n, k) -> (m, n)>]
        ins(%h, %n : tensor<8x16xf32>, tensor<8x16xf32>)
        outs(%z : tensor<16x16xf32>) -> tensor<16x16xf32>
    %next = tensor.insert_slice %g into %acc[%l, 0, 0] [1, 16, 16] [1, 1, 1]
        : tensor<16x16xf32> into tensor<3x16x16xf32>
    scf.yield %n, %next : tensor<8x16xf32>, tensor<3x16x16xf32>
  }
  %dv = sparsam.einsum "Lkn,Lkr->Lrn"(%dw, %u)
      : (tensor<3x16x16xf32>, tensor<3x16x2xf32>) -> tensor<3x2x16xf32>
  return %y, %dv : tensor<8x16xf32>, tensor<3x2x16xf32>
}

// -----

// The same with a gradient that the loop sums up, in another layout.
// CHECK-LABEL: func @factors_accumulated(
//   CHECK-NOT:   16x4xf32
//       CHECK:   scf.for {{.*}} -> (tensor<2x4xf32>)
//       CHECK:     arith.addf
//   CHECK-NOT:   4x16xf32
func.func @factors_accumulated(%a: tensor<8x16xf32>, %b: tensor<8x4xf32>,
                               %u: tensor<16x2xf32>) -> tensor<2x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x16xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>
  %dw = scf.for %l = %c0 to %c3 step %c1 iter_args(%acc = %z) -> tensor<4x16xf32> {
    %g = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>,
                                        affine_map<(m, n, k) -> (k, n)>,
                                        affine_map<(m, n, k) -> (m, n)>]
        ins(%b, %a : tensor<8x4xf32>, tensor<8x16xf32>)
        outs(%z : tensor<4x16xf32>) -> tensor<4x16xf32>
    %next = linalg.add ins(%acc, %g : tensor<4x16xf32>, tensor<4x16xf32>)
        outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>
    scf.yield %next : tensor<4x16xf32>
  }
  %te = tensor.empty() : tensor<16x4xf32>
  %t = linalg.transpose ins(%dw : tensor<4x16xf32>) outs(%te : tensor<16x4xf32>)
      permutation = [1, 0]
  %dv = sparsam.einsum "kn,kr->rn"(%t, %u)
      : (tensor<16x4xf32>, tensor<16x2xf32>) -> tensor<2x4xf32>
  return %dv : tensor<2x4xf32>
}
