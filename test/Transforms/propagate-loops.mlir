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

// -----

// A multiple that starts from the weights, repeated, in its destination.
// CHECK-LABEL: func @factors_weighted_in_place(
//       CHECK:   scf.for
//       CHECK:     arith.mulf
#here = affine_map<(d0, d1) -> (d0, d1)>
func.func @factors_weighted_in_place(%a: tensor<8x16xf32>, %b: tensor<8x4xf32>, %u: tensor<16x2xf32>,
                                     %n: tensor<f32>) -> tensor<2x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x4xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %dw = scf.for %l = %c0 to %c3 step %c1 iter_args(%acc = %z) -> tensor<16x4xf32> {
    %g = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>,
                                        affine_map<(m, n, k) -> (k, n)>,
                                        affine_map<(m, n, k) -> (m, n)>]
        ins(%a, %b : tensor<8x16xf32>, tensor<8x4xf32>)
        outs(%z : tensor<16x4xf32>) -> tensor<16x4xf32>
    %all = linalg.broadcast ins(%n : tensor<f32>) outs(%e : tensor<16x4xf32>) dimensions = [0, 1]
    %weighted = linalg.generic {indexing_maps = [#here, #here], iterator_types = ["parallel", "parallel"]}
        ins(%g : tensor<16x4xf32>) outs(%all : tensor<16x4xf32>) {
    ^bb0(%x: f32, %o: f32):
      %s = arith.mulf %x, %o : f32
      linalg.yield %s : f32
    } -> tensor<16x4xf32>
    %next = linalg.add ins(%acc, %weighted : tensor<16x4xf32>, tensor<16x4xf32>)
        outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    scf.yield %next : tensor<16x4xf32>
  }
  %dv = sparsam.einsum "kn,kr->rn"(%dw, %u)
      : (tensor<16x4xf32>, tensor<16x2xf32>) -> tensor<2x4xf32>
  return %dv : tensor<2x4xf32>
}

// -----

// Weighted parts, and the sum over the weights, which is repeated first: multiples go with
// the einsum.
// CHECK-LABEL: func @factors_weighted(
//   CHECK-NOT:   16x4xf32
//       CHECK:   %[[DV:.*]]:2 = scf.for {{.*}} -> (tensor<f32>, tensor<2x4xf32>)
//       CHECK:     arith.mulf
//       CHECK:     arith.addf
//       CHECK:   linalg.generic {{.*}} ins(%[[DV]]#1, %[[DV]]#0 : tensor<2x4xf32>, tensor<f32>)
//       CHECK:     arith.divf
//   CHECK-NOT:   16x4xf32
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @factors_weighted(%a: tensor<8x16xf32>, %b: tensor<8x4xf32>, %u: tensor<16x2xf32>,
                            %n: tensor<f32>) -> tensor<2x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x4xf32>
  %one = tensor.empty() : tensor<f32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %zn = linalg.fill ins(%c : f32) outs(%one : tensor<f32>) -> tensor<f32>
  %dw, %count = scf.for %l = %c0 to %c3 step %c1 iter_args(%acc = %z, %sum = %zn) -> (tensor<16x4xf32>, tensor<f32>) {
    %g = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>,
                                        affine_map<(m, n, k) -> (k, n)>,
                                        affine_map<(m, n, k) -> (m, n)>]
        ins(%a, %b : tensor<8x16xf32>, tensor<8x4xf32>)
        outs(%z : tensor<16x4xf32>) -> tensor<16x4xf32>
    %all = linalg.broadcast ins(%n : tensor<f32>) outs(%e : tensor<16x4xf32>) dimensions = [0, 1]
    %weighted = linalg.mul ins(%all, %g : tensor<16x4xf32>, tensor<16x4xf32>)
        outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    %next = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%acc, %weighted : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.addf %x, %y : f32
      linalg.yield %s : f32
    } -> tensor<16x4xf32>
    %more = linalg.add ins(%sum, %n : tensor<f32>, tensor<f32>) outs(%one : tensor<f32>) -> tensor<f32>
    scf.yield %next, %more : tensor<16x4xf32>, tensor<f32>
  }
  %counts = linalg.broadcast ins(%count : tensor<f32>) outs(%e : tensor<16x4xf32>) dimensions = [0, 1]
  %mean = linalg.div ins(%dw, %counts : tensor<16x4xf32>, tensor<16x4xf32>)
      outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %dv = sparsam.einsum "kn,kr->rn"(%mean, %u)
      : (tensor<16x4xf32>, tensor<16x2xf32>) -> tensor<2x4xf32>
  return %dv : tensor<2x4xf32>
}

// -----

// What a loop stacks of a parameter is the parameter: the backward pass reads layers of
// the storage, not of a copy that the forward pass kept.
// CHECK-LABEL: func @residual(
//   CHECK-NOT:   3x16x4x
//   CHECK-NOT:   3x4x16x
//       CHECK:   scf.for {{.*}} -> (tensor<8x4xf32>) : i32
//       CHECK:     sparsam.spmm
//       CHECK:   scf.for {{.*}} -> (tensor<8x16xf32>)
//       CHECK:     sparsam.spmm {{.*}} transposed
//   CHECK-NOT:   3x4x16x
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @residual(%x: tensor<8x16xf32>, %v: tensor<3x4x8x1xf32>, %i: tensor<3x4x8xi16>)
    -> tensor<8x16xf32> {
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, stack = [0]>}
      : (tensor<3x4x8x1xf32>, tensor<3x4x8xi16>) -> tensor<3x16x4xf32>
  %i0 = arith.constant 0 : i32
  %i1 = arith.constant 1 : i32
  %i3 = arith.constant 3 : i32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<3x4x16xf16>
  %ye = tensor.empty() : tensor<8x4xf32>
  %yz = linalg.fill ins(%c : f32) outs(%ye : tensor<8x4xf32>) -> tensor<8x4xf32>
  %xe = tensor.empty() : tensor<8x16xf32>
  %xz = linalg.fill ins(%c : f32) outs(%xe : tensor<8x16xf32>) -> tensor<8x16xf32>
  %he = tensor.empty() : tensor<16x4xf16>
  %te = tensor.empty() : tensor<4x16xf16>
  %y, %kept = scf.for %l = %i0 to %i3 step %i1 iter_args(%h = %yz, %acc = %empty)
      -> (tensor<8x4xf32>, tensor<3x4x16xf16>) : i32 {
    %at = arith.index_cast %l : i32 to index
    %low = arith.maxsi %at, %c0 : index
    %place = arith.minsi %low, %c2 : index
    %s = tensor.extract_slice %w[%place, 0, 0] [1, 16, 4] [1, 1, 1]
        : tensor<3x16x4xf32> to tensor<1x16x4xf32>
    %wl = tensor.collapse_shape %s [[0, 1], [2]] : tensor<1x16x4xf32> into tensor<16x4xf32>
    %half = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%wl : tensor<16x4xf32>) outs(%he : tensor<16x4xf16>) {
    ^bb0(%in: f32, %o: f16):
      %t = arith.truncf %in : f32 to f16
      linalg.yield %t : f16
    } -> tensor<16x4xf16>
    %n = linalg.matmul ins(%x, %half : tensor<8x16xf32>, tensor<16x4xf16>)
        outs(%yz : tensor<8x4xf32>) -> tensor<8x4xf32>
    %t = linalg.transpose ins(%half : tensor<16x4xf16>) outs(%te : tensor<4x16xf16>)
        permutation = [1, 0]
    %e = tensor.expand_shape %t [[0, 1], [2]] output_shape [1, 4, 16]
        : tensor<4x16xf16> into tensor<1x4x16xf16>
    %place2 = arith.index_cast %l : i32 to index
    %next = tensor.insert_slice %e into %acc[%place2, 0, 0] [1, 4, 16] [1, 1, 1]
        : tensor<1x4x16xf16> into tensor<3x4x16xf16>
    scf.yield %n, %next : tensor<8x4xf32>, tensor<3x4x16xf16>
  }
  %dx = scf.for %l = %c0 to %c3 step %c1 iter_args(%h = %x) -> tensor<8x16xf32> {
    %s = tensor.extract_slice %kept[%l, 0, 0] [1, 4, 16] [1, 1, 1]
        : tensor<3x4x16xf16> to tensor<4x16xf16>
    %n = linalg.matmul ins(%y, %s : tensor<8x4xf32>, tensor<4x16xf16>)
        outs(%xz : tensor<8x16xf32>) -> tensor<8x16xf32>
    scf.yield %n : tensor<8x16xf32>
  }
  return %dx : tensor<8x16xf32>
}

// -----

// Every other layer is not all of them.
// CHECK-LABEL: func @half(
//       CHECK:   scf.for {{.*}} -> (tensor<4x2xf16>)
#vec = affine_map<(d0, d1) -> (d0, d1)>
func.func @half(%w: tensor<4x2xf32>) -> tensor<4x2xf16> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant dense<0.0> : tensor<4x2xf16>
  %e = tensor.empty() : tensor<1x2xf16>
  %r = scf.for %l = %c0 to %c4 step %c2 iter_args(%acc = %zero) -> tensor<4x2xf16> {
    %s = tensor.extract_slice %w[%l, 0] [1, 2] [1, 1] : tensor<4x2xf32> to tensor<1x2xf32>
    %h = linalg.generic {indexing_maps = [#vec, #vec], iterator_types = ["parallel", "parallel"]}
        ins(%s : tensor<1x2xf32>) outs(%e : tensor<1x2xf16>) {
    ^bb0(%in: f32, %o: f16):
      %t = arith.truncf %in : f32 to f16
      linalg.yield %t : f16
    } -> tensor<1x2xf16>
    %n = tensor.insert_slice %h into %acc[%l, 0] [1, 2] [1, 1]
        : tensor<1x2xf16> into tensor<4x2xf16>
    scf.yield %n : tensor<4x2xf16>
  }
  return %r : tensor<4x2xf16>
}
