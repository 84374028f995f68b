// RUN: sparsam-opt %s --sparsam-propagate --split-input-file --verify-diagnostics | FileCheck %s

// A linear layer of low rank with its backward pass: x * U and dy * V^T are computed
// once for two products each, and nothing has the parameter's shape.
// CHECK-LABEL: func @linear(
//  CHECK-SAME:     %[[X:[^:]*]]: tensor<8x16xf32>, %[[DY:[^:]*]]: tensor<8x12xf32>, %[[U:[^:]*]]: tensor<16x2xf32>, %[[V:[^:]*]]: tensor<2x12xf32>)
//   CHECK-NOT:   tensor<16x12xf32>
//   CHECK-NOT:   tensor<12x16xf32>
//       CHECK:   %[[XU:.*]] = linalg.matmul ins(%[[X]], %[[U]] :
//       CHECK:   %[[Y:.*]] = linalg.matmul ins(%[[XU]], %[[V]] :
//       CHECK:   %[[DYV:.*]] = linalg.generic {{.*}} ins(%[[DY]], %[[V]] : {{.*}} outs(%{{.*}} : tensor<8x2xf32>)
//       CHECK:   %[[DX:.*]] = linalg.generic {{.*}} ins(%[[DYV]], %[[U]] : {{.*}} outs(%{{.*}} : tensor<8x16xf32>)
//       CHECK:   %[[DU:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[DYV]] : {{.*}} outs(%{{.*}} : tensor<16x2xf32>)
//       CHECK:   %[[DV:.*]] = linalg.generic {{.*}} ins(%[[XU]], %[[DY]] : {{.*}} outs(%{{.*}} : tensor<2x12xf32>)
//       CHECK:   return %[[Y]], %[[DX]], %[[DU]], %[[DV]]
func.func @linear(%x: tensor<8x16xf32>, %dy: tensor<8x12xf32>, %u: tensor<16x2xf32>,
                  %v: tensor<2x12xf32>)
    -> (tensor<8x12xf32>, tensor<8x16xf32>, tensor<16x2xf32>, tensor<2x12xf32>) {
  %zero = arith.constant 0.0 : f32
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<2>}
      : (tensor<16x2xf32>, tensor<2x12xf32>) -> tensor<16x12xf32>
  %e0 = tensor.empty() : tensor<8x12xf32>
  %z0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x12xf32>)
      outs(%z0 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %e1 = tensor.empty() : tensor<12x16xf32>
  %wt = linalg.transpose ins(%w : tensor<16x12xf32>) outs(%e1 : tensor<12x16xf32>) permutation = [1, 0]
  %e2 = tensor.empty() : tensor<8x16xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %dx = linalg.matmul ins(%dy, %wt : tensor<8x12xf32>, tensor<12x16xf32>)
      outs(%z2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %e3 = tensor.empty() : tensor<12x8xf32>
  %dyt = linalg.transpose ins(%dy : tensor<8x12xf32>) outs(%e3 : tensor<12x8xf32>) permutation = [1, 0]
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<12x16xf32>) -> tensor<12x16xf32>
  %dwt = linalg.matmul ins(%dyt, %x : tensor<12x8xf32>, tensor<8x16xf32>)
      outs(%z1 : tensor<12x16xf32>) -> tensor<12x16xf32>
  %e4 = tensor.empty() : tensor<16x12xf32>
  %dw = linalg.transpose ins(%dwt : tensor<12x16xf32>) outs(%e4 : tensor<16x12xf32>) permutation = [1, 0]
  %g = sparsam.gradient %dw of "w" : tensor<16x12xf32>
  %du = sparsam.einsum "kn,rn->kr"(%g, %v)
      : (tensor<16x12xf32>, tensor<2x12xf32>) -> tensor<16x2xf32>
  %dv = sparsam.einsum "kn,kr->rn"(%g, %u)
      : (tensor<16x12xf32>, tensor<16x2xf32>) -> tensor<2x12xf32>
  return %y, %dx, %du, %dv
      : tensor<8x12xf32>, tensor<8x16xf32>, tensor<16x2xf32>, tensor<2x12xf32>
}

// -----

// A tied parameter: its gradient is a difference of two products, one transposed.
#id = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func @difference(
//   CHECK-NOT:   tensor<16x12xf32>
//       CHECK:   %[[DU:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<16x2xf32>, tensor<16x2xf32>)
//       CHECK:     arith.subf
//  CHECK-NEXT:     linalg.yield
//  CHECK-NEXT:   } -> tensor<16x2xf32>
//       CHECK:   return %[[DU]]
func.func @difference(%a: tensor<8x16xf32>, %b: tensor<8x12xf32>, %c: tensor<5x12xf32>,
                      %d: tensor<5x16xf32>, %v: tensor<2x12xf32>) -> tensor<16x2xf32> {
  %0 = sparsam.einsum "tk,tn->kn"(%a, %b)
      : (tensor<8x16xf32>, tensor<8x12xf32>) -> tensor<16x12xf32>
  %1 = sparsam.einsum "tn,tk->kn"(%c, %d)
      : (tensor<5x12xf32>, tensor<5x16xf32>) -> tensor<16x12xf32>
  %e = tensor.empty() : tensor<16x12xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %1 : tensor<16x12xf32>, tensor<16x12xf32>) outs(%e : tensor<16x12xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %s = arith.subf %l, %r : f32
    linalg.yield %s : f32
  } -> tensor<16x12xf32>
  %du = sparsam.einsum "kn,rn->kr"(%2, %v)
      : (tensor<16x12xf32>, tensor<2x12xf32>) -> tensor<16x2xf32>
  return %du : tensor<16x2xf32>
}

// -----

// A scaled parameter is a product too, and so is its sum of squares.
#id = affine_map<(d0, d1) -> (d0, d1)>
#none = affine_map<(d0, d1) -> ()>
// CHECK-LABEL: func @scaled(
//   CHECK-NOT:   tensor<16x12xf32>
//       CHECK:   return
func.func @scaled(%x: tensor<8x16xf32>, %u: tensor<16x2xf32>, %v: tensor<2x12xf32>)
    -> (tensor<8x12xf32>, tensor<f32>) {
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<2>}
      : (tensor<16x2xf32>, tensor<2x12xf32>) -> tensor<16x12xf32>
  %e = tensor.empty() : tensor<16x12xf32>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<16x12xf32>) outs(%e : tensor<16x12xf32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.mulf %in, %half : f32
    linalg.yield %m : f32
  } -> tensor<16x12xf32>
  %y = sparsam.einsum "tk,kn->tn"(%x, %s)
      : (tensor<8x16xf32>, tensor<16x12xf32>) -> tensor<8x12xf32>
  %e0 = tensor.empty() : tensor<f32>
  %z0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<f32>) -> tensor<f32>
  %n = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction", "reduction"]}
      ins(%s : tensor<16x12xf32>) outs(%z0 : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.mulf %in, %in : f32
    %a = arith.addf %out, %m : f32
    linalg.yield %a : f32
  } -> tensor<f32>
  return %y, %n : tensor<8x12xf32>, tensor<f32>
}

// -----

// A 3-D parameter with a view that is no reshape: inputs 2 and 0.
// CHECK-LABEL: func @view(
//   CHECK-NOT:   tensor<6x5x4xf32>
//       CHECK:   linalg.matmul
//       CHECK:   linalg.matmul
func.func @view(%x: tensor<3x7x4x6xf32>, %u: tensor<24x2xf32>, %v: tensor<2x5xf32>)
    -> tensor<3x7x5xf32> {
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<2, in = [2, 0]>}
      : (tensor<24x2xf32>, tensor<2x5xf32>) -> tensor<6x5x4xf32>
  %y = sparsam.einsum "bsji,inj->bsn"(%x, %w)
      : (tensor<3x7x4x6xf32>, tensor<6x5x4xf32>) -> tensor<3x7x5xf32>
  return %y : tensor<3x7x5xf32>
}

// -----

// Many tokens and nearly full rank: forming the parameter once is cheaper.
// CHECK-LABEL: func @does_not_pay(
//       CHECK:   %[[W:.*]] = linalg.matmul {{.*}} outs(%{{.*}} : tensor<8x8xf32>)
//       CHECK:   linalg.matmul ins(%{{.*}}, %[[W]] :
func.func @does_not_pay(%x: tensor<64x8xf32>, %u: tensor<8x7xf32>, %v: tensor<7x8xf32>)
    -> tensor<64x8xf32> {
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<7>}
      : (tensor<8x7xf32>, tensor<7x8xf32>) -> tensor<8x8xf32>
  // expected-remark @+1 {{forms the dense parameter: no other order of the products is cheaper}}
  %y = sparsam.einsum "tk,kn->tn"(%x, %w)
      : (tensor<64x8xf32>, tensor<8x8xf32>) -> tensor<64x8xf32>
  return %y : tensor<64x8xf32>
}

// -----

// A dense gradient that something else needs too is used where that is cheaper, and
// not where it is not.
// CHECK-LABEL: func @gradient_with_other_users(
//       CHECK:   %[[G:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<16x12xf32>)
//       CHECK:   linalg.generic {{.*}} ins(%[[G]], %{{.*}} outs(%{{.*}} : tensor<16x2xf32>)
//       CHECK:   return %[[G]]
func.func @gradient_with_other_users(%x: tensor<64x16xf32>, %dy: tensor<64x12xf32>,
                                     %v: tensor<2x12xf32>)
    -> (tensor<16x12xf32>, tensor<16x2xf32>) {
  %g = sparsam.einsum "tk,tn->kn"(%x, %dy)
      : (tensor<64x16xf32>, tensor<64x12xf32>) -> tensor<16x12xf32>
  %du = sparsam.einsum "kn,rn->kr"(%g, %v)
      : (tensor<16x12xf32>, tensor<2x12xf32>) -> tensor<16x2xf32>
  return %g, %du : tensor<16x12xf32>, tensor<16x2xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// A batch of one: the gradient is an outer product, a contraction of length one, and is
// not formed either.
// CHECK-LABEL: func @outer_product(
//   CHECK-NOT:   tensor<16x12xf32>
//       CHECK:   return
func.func @outer_product(%x: tensor<16xf32>, %dy: tensor<12xf32>, %u: tensor<16x2xf32>,
                         %v: tensor<2x12xf32>) -> (tensor<16x2xf32>, tensor<2x12xf32>) {
  %e = tensor.empty() : tensor<16x12xf32>
  %xs = linalg.broadcast ins(%x : tensor<16xf32>) outs(%e : tensor<16x12xf32>) dimensions = [1]
  %dys = linalg.broadcast ins(%dy : tensor<12xf32>) outs(%e : tensor<16x12xf32>) dimensions = [0]
  %g = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%xs, %dys : tensor<16x12xf32>, tensor<16x12xf32>) outs(%e : tensor<16x12xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<16x12xf32>
  %du = sparsam.einsum "kn,rn->kr"(%g, %v)
      : (tensor<16x12xf32>, tensor<2x12xf32>) -> tensor<16x2xf32>
  %dv = sparsam.einsum "kn,kr->rn"(%g, %u)
      : (tensor<16x12xf32>, tensor<16x2xf32>) -> tensor<2x12xf32>
  return %du, %dv : tensor<16x2xf32>, tensor<2x12xf32>
}

// -----

// Heads of another operand (4 x 5) cut across the pieces of a tensor train (5 x 4): they stay
// a view of their own, and the weight is never formed.
// CHECK-LABEL: func @heads(
//  CHECK-SAME:     %[[DK:[^:]*]]: tensor<3x4x5xf32>
//   CHECK-NOT:   tensor<8x20xf32>
//   CHECK-NOT:   tensor<20x8xf32>
//       CHECK:   tensor.collapse_shape %[[DK]] {{\[\[}}0], [1, 2]] : tensor<3x4x5xf32> into tensor<3x20xf32>
//   CHECK-NOT:   tensor<8x20xf32>
//   CHECK-NOT:   tensor<20x8xf32>
//       CHECK:   return
func.func @heads(%dk: tensor<3x4x5xf32>, %core0: tensor<2x5x2xf32>,
                 %core1: tensor<2x4x4xf32>) -> tensor<3x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = sparsam.densify %core0, %core1
      {structure = #sparsam.tensor_train<[2, 4], [5, 4], ranks = [2]>}
      : (tensor<2x5x2xf32>, tensor<2x4x4xf32>) -> tensor<8x20xf32>
  %e0 = tensor.empty() : tensor<20x8xf32>
  %wt = linalg.transpose ins(%w : tensor<8x20xf32>) outs(%e0 : tensor<20x8xf32>) permutation = [1, 0]
  %flat = tensor.collapse_shape %dk [[0], [1, 2]] : tensor<3x4x5xf32> into tensor<3x20xf32>
  %e1 = tensor.empty() : tensor<3x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<3x8xf32>) -> tensor<3x8xf32>
  %dx = linalg.matmul ins(%flat, %wt : tensor<3x20xf32>, tensor<20x8xf32>)
      outs(%z1 : tensor<3x8xf32>) -> tensor<3x8xf32>
  return %dx : tensor<3x8xf32>
}

// -----

// One output: dx = dy * w^T sums over a single entry, and so does its product with the
// factors, of which none is multiplied out.
// CHECK-LABEL: func @one_output(
//  CHECK-SAME:     %[[X:[^:]*]]: tensor<8x16xf32>, %[[DY:[^:]*]]: tensor<8x1xf32>, %[[U:[^:]*]]: tensor<16x1xf32>, %[[V:[^:]*]]: tensor<1x1xf32>)
//   CHECK-NOT:   sparsam.
//       CHECK:   return %{{.*}}, %{{.*}} : tensor<8x1xf32>, tensor<8x16xf32>
func.func @one_output(%x: tensor<8x16xf32>, %dy: tensor<8x1xf32>, %u: tensor<16x1xf32>,
                      %v: tensor<1x1xf32>) -> (tensor<8x1xf32>, tensor<8x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<1>}
      : (tensor<16x1xf32>, tensor<1x1xf32>) -> tensor<16x1xf32>
  %e0 = tensor.empty() : tensor<8x1xf32>
  %z0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<8x1xf32>) -> tensor<8x1xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x1xf32>)
      outs(%z0 : tensor<8x1xf32>) -> tensor<8x1xf32>
  %e1 = tensor.empty() : tensor<1x16xf32>
  %wt = linalg.transpose ins(%w : tensor<16x1xf32>) outs(%e1 : tensor<1x16xf32>) permutation = [1, 0]
  %e2 = tensor.empty() : tensor<8x16xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %dx = linalg.matmul ins(%dy, %wt : tensor<8x1xf32>, tensor<1x16xf32>)
      outs(%z2 : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %y, %dx : tensor<8x1xf32>, tensor<8x16xf32>
}

// -----

// A batch of one besides: one number scales the parameter, as a product's one entry.
// CHECK-LABEL: func @one_row(
//   CHECK-NOT:   sparsam.
//       CHECK:   return %{{.*}} : tensor<1x16xf32>
func.func @one_row(%dy: tensor<1x1xf32>, %u: tensor<16x1xf32>, %v: tensor<1x1xf32>) -> tensor<1x16xf32> {
  %zero = arith.constant 0.0 : f32
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<1>}
      : (tensor<16x1xf32>, tensor<1x1xf32>) -> tensor<16x1xf32>
  %e1 = tensor.empty() : tensor<1x16xf32>
  %wt = linalg.transpose ins(%w : tensor<16x1xf32>) outs(%e1 : tensor<1x16xf32>) permutation = [1, 0]
  %z = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x16xf32>) -> tensor<1x16xf32>
  %dx = linalg.matmul ins(%dy, %wt : tensor<1x1xf32>, tensor<1x16xf32>)
      outs(%z : tensor<1x16xf32>) -> tensor<1x16xf32>
  return %dx : tensor<1x16xf32>
}

// -----

// Written as elementwise work on repeated rows and columns, which reaches the parameter
// through the repetition.
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#column = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func @repeated(
//   CHECK-NOT:   sparsam.
//       CHECK:   return %{{.*}} : tensor<8x16xf32>
func.func @repeated(%dy: tensor<8xf32>, %u: tensor<16x1xf32>, %v: tensor<1x1xf32>) -> tensor<8x16xf32> {
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<1>}
      : (tensor<16x1xf32>, tensor<1x1xf32>) -> tensor<16x1xf32>
  %c = tensor.collapse_shape %w [[0, 1]] : tensor<16x1xf32> into tensor<16xf32>
  %e = tensor.empty() : tensor<8x16xf32>
  %a = linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%dy : tensor<8xf32>) outs(%e : tensor<8x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<8x16xf32>
  %b = linalg.generic {indexing_maps = [#column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%c : tensor<16xf32>) outs(%e : tensor<8x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<8x16xf32>
  %dx = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<8x16xf32>, tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %0 = arith.mulf %p, %q : f32
    linalg.yield %0 : f32
  } -> tensor<8x16xf32>
  return %dx : tensor<8x16xf32>
}
