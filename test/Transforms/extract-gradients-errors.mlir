// RUN: sparsam-opt %s --sparsam-extract-gradients --split-input-file --verify-diagnostics

// expected-error@+1 {{has no gradient; sparsam-find-parameters marks them, or tells why there is none}}
module {
  func.func @no_gradient(%w: tensor<4x4xf32> {sparsam.param = "w"}) -> tensor<4x4xf32> {
    return %w : tensor<4x4xf32>
  }
}

// -----

func.func @in_a_loop(%w: tensor<4x4xf32> {sparsam.param = "w"}) -> tensor<4x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %w) -> tensor<4x4xf32> {
    // expected-error@+1 {{of w is inside of a loop or a branch, from where it cannot be returned; mark it outside}}
    %g = sparsam.gradient %a of "w" : tensor<4x4xf32>
    scf.yield %g : tensor<4x4xf32>
  }
  return %r : tensor<4x4xf32>
}

// -----

func.func @twice(%w: tensor<4x4xf32> {sparsam.param = "w"}) -> tensor<4x4xf32> {
  %g = sparsam.gradient %w of "w" : tensor<4x4xf32>
  // expected-error@+1 {{is the second gradient of w in this function}}
  %h = sparsam.gradient %g of "w" : tensor<4x4xf32>
  return %h : tensor<4x4xf32>
}

// -----

// expected-error@+1 {{argument 0 is encoded as #sparsam.nm<2:4>; gradients are extracted of the dense step, before sparsam-apply-structure}}
func.func @structured(%w: tensor<4x4xf32, #sparsam.nm<2:4>> {sparsam.param = "w"}, %d: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %g = sparsam.gradient %d of "w" : tensor<4x4xf32>
  return %g : tensor<4x4xf32>
}
