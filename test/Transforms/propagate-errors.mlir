// RUN: sparsam-opt %s --sparsam-propagate --split-input-file --verify-diagnostics

func.func @returned(%v: tensor<4x8x1xf32> {sparsam.param = "a/b"}, %i: tensor<4x8xi16>)
    -> tensor<16x4xf32> {
  // expected-remark @+1 {{parameter "a/b" of #sparsam.nm<2:4> is made dense: it is returned}}
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>}
      : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
  // expected-note @+1 {{used here}}
  return %w : tensor<16x4xf32>
}

// -----

// Half of the view's inputs are contracted, the other half is a batch dimension.
func.func @partial(%x: tensor<5x4x6xf32>, %v: tensor<4x12x1xf32> {sparsam.param = "w"},
                   %i: tensor<4x12xi16>) -> tensor<4x5x4xf32> {
  // expected-remark @+1 {{parameter "w" of #sparsam.nm<2:4, in = [0, 1]> is made dense: it contracts neither all inputs nor all outputs of the view}}
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, in = [0, 1]>}
      : (tensor<4x12x1xf32>, tensor<4x12xi16>) -> tensor<4x6x4xf32>
  // expected-note @+1 {{used here}}
  %y = sparsam.einsum "tbk,bkn->btn"(%x, %w)
      : (tensor<5x4x6xf32>, tensor<4x6x4xf32>) -> tensor<4x5x4xf32>
  return %y : tensor<4x5x4xf32>
}

// -----

func.func @not_a_product(%g: tensor<16x4xf32>, %i: tensor<4x8xi16> {sparsam.param = "w"})
    -> tensor<4x8x1xf32> {
  // expected-remark @+1 {{a tensor on the pattern of parameter "w" is read from a dense tensor: it is an argument}}
  %r = sparsam.restrict %g on %i {structure = #sparsam.nm<2:4>}
      : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
  return %r : tensor<4x8x1xf32>
}

// -----

func.func @carried(%g: tensor<16x4xf32>, %i: tensor<4x8xi16> {sparsam.param = "w"}, %n: index)
    -> tensor<4x8x1xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %v = tensor.empty() : tensor<4x8x1xf32>
  %s:2 = scf.for %j = %c0 to %n step %c1 iter_args(%own = %g, %old = %v)
      -> (tensor<16x4xf32>, tensor<4x8x1xf32>) {
    // expected-remark @+1 {{is computed dense first: a loop or a branch carries it}}
    %r = sparsam.restrict %own on %i {structure = #sparsam.nm<2:4>}
        : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
    %t = math.exp %own : tensor<16x4xf32>
    scf.yield %t, %r : tensor<16x4xf32>, tensor<4x8x1xf32>
  }
  return %s#1 : tensor<4x8x1xf32>
}

// -----

func.func @factors_made_dense(%u: tensor<16x2xf32> {sparsam.param = "w"}, %v: tensor<2x4xf32>)
    -> tensor<16x4xf32> {
  // expected-error @+1 {{parameter "w" is a product of factors but is needed as a dense tensor: `func.return` is no contraction; leave this parameter dense}}
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<2>}
      : (tensor<16x2xf32>, tensor<2x4xf32>) -> tensor<16x4xf32>
  // expected-note @+1 {{used here}}
  return %w : tensor<16x4xf32>
}

// -----

// As expansion leaves it: the parameter is an einsum of its storage.
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @elementwise_factors(%u: tensor<16x2xf32> {sparsam.param = "w"},
                               %v: tensor<2x4xf32> {sparsam.param = "w"}) -> tensor<4x16xf32> {
  // expected-error @+1 {{parameter "w" is a product of factors but is needed as a dense tensor: `linalg.generic` is no contraction; leave this parameter dense}}
  %w = sparsam.einsum "kr,rn->kn"(%u, %v)
      : (tensor<16x2xf32>, tensor<2x4xf32>) -> tensor<16x4xf32>
  %e = tensor.empty() : tensor<4x16xf32>
  %t = linalg.transpose ins(%w : tensor<16x4xf32>) outs(%e : tensor<4x16xf32>) permutation = [1, 0]
  // expected-note @+1 {{used here}}
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%t : tensor<4x16xf32>) outs(%e : tensor<4x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = math.exp %in : f32
    linalg.yield %x : f32
  } -> tensor<4x16xf32>
  return %r : tensor<4x16xf32>
}

// -----

func.func @dynamic(%x: tensor<?x4xf32>, %y: tensor<4x4xf32>) -> tensor<?x4xf32> {
  // expected-error @+1 {{needs static shapes without empty dimensions}}
  %z = sparsam.einsum "tk,kn->tn"(%x, %y) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %z : tensor<?x4xf32>
}

// -----

func.func @too_many(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // expected-error @+1 {{is a product of 13 operands, more than an order is searched for}}
  %z = sparsam.einsum "ab,bc,cd,de,ef,fg,gh,hi,ij,jk,kl,lm,mn->an"(%x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x)
      : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %z : tensor<4x4xf32>
}

// -----

// The gradient of a parameter by way of something that is no contraction.
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @opaque_gradient(%x: tensor<16x4xf32>, %v: tensor<2x4xf32> {sparsam.param = "w"})
    -> tensor<16x2xf32> {
  %e = tensor.empty() : tensor<16x4xf32>
  // expected-note @+1 {{made here}}
  %g = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %t = math.tanh %in : f32
    linalg.yield %t : f32
  } -> tensor<16x4xf32>
  // expected-remark @+1 {{needs the dense gradient of parameter "w", which is not made by a contraction}}
  %du = sparsam.einsum "kn,rn->kr"(%g, %v) : (tensor<16x4xf32>, tensor<2x4xf32>) -> tensor<16x2xf32>
  return %du : tensor<16x2xf32>
}
