// RUN: sparsam-opt %s --sparsam-expand-storage --split-input-file --verify-diagnostics

#nm = #sparsam.nm<2:4>

// expected-error@+1 {{w: sparsam.updates is 3 : i64, expected the number of one of 1 results}}
func.func @no_such_result(%w: tensor<16x4xf32, #nm> {sparsam.param = "w", sparsam.updates = 3 : i64}) -> f32 {
  %0 = arith.constant 0.0 : f32
  return %0 : f32
}

// -----

#nm = #sparsam.nm<2:4>

// expected-error@+1 {{result 0 is encoded as #sparsam.nm<2:4> but is the new value of no argument so encoded}}
func.func @unpaired_result(%w: tensor<16x4xf32, #nm>) -> tensor<16x4xf32, #nm> {
  return %w : tensor<16x4xf32, #nm>
}

// -----

#nm = #sparsam.nm<2:4>

// expected-error@+1 {{two structured parameters are both named w}}
func.func @same_name(%a: tensor<16x4xf32, #nm> {sparsam.param = "w"}, %b: tensor<16x4xf32, #nm> {sparsam.param = "w"}) {
  return
}

// -----

#nm = #sparsam.nm<2:4>

// expected-error@+2 {{m/w is state of w of 'tensor<16x4xf32>', expected a tensor of that shape, found 'tensor<4xf32>'}}
func.func @state_shape(%w: tensor<16x4xf32, #nm> {sparsam.param = "w"},
                       %m: tensor<4xf32> {sparsam.name = "m/w", sparsam.state_of = "w"}) {
  return
}

// -----

#nm = #sparsam.nm<2:4>

func.func private @callee(tensor<16x4xf32, #nm>)
func.func @call(%w: tensor<16x4xf32, #nm>) {
  // expected-error@+1 {{passes a structured tensor; inline the function first}}
  call @callee(%w) : (tensor<16x4xf32, #nm>) -> ()
  return
}

// -----

// expected-error@+1 {{@densify is the name of a function that sparsam-expand-storage makes; rename it or use companions=false}}
func.func @densify(%w: tensor<16x4xf32, #sparsam.nm<2:4>>) {
  return
}

// -----

#lr = #sparsam.low_rank<2>

// expected-error@+1 {{w of #sparsam.low_rank<2> is updated but has no sparsam.gradient; run sparsam-find-parameters}}
func.func @no_gradient(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64}) -> tensor<16x4xf32, #lr> {
  return %w : tensor<16x4xf32, #lr>
}

// -----

#lr = #sparsam.low_rank<2>

// An optimizer that multiplies the gradient with itself, as Muon does.
// expected-note@+1 {{the parameter is here}}
func.func @product(%w: tensor<4x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64}, %raw: tensor<4x4xf32>) -> tensor<4x4xf32, #lr> {
  %g = sparsam.gradient %raw of "w" : tensor<4x4xf32>
  %z = arith.constant dense<0.0> : tensor<4x4xf32>
  // expected-error@+1 {{'linalg.matmul' op is not elementwise in the optimizer of w, so #sparsam.low_rank<2> has no update for its factors; choose a pattern structure or dense}}
  %p = linalg.matmul ins(%g, %g : tensor<4x4xf32>, tensor<4x4xf32>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  %c = tensor.cast %p : tensor<4x4xf32> to tensor<4x4xf32, #lr>
  return %c : tensor<4x4xf32, #lr>
}

// -----

#lr = #sparsam.low_rank<2>

// A norm of each row.
// expected-note@+1 {{the parameter is here}}
func.func @rows(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64}, %raw: tensor<16x4xf32>, %init: tensor<16xf32>) -> (tensor<16x4xf32, #lr>, tensor<16xf32>) {
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  // expected-error@+1 {{'linalg.generic' op is not elementwise in the optimizer of w}}
  %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
      ins(%g : tensor<16x4xf32>) outs(%init : tensor<16xf32>) {
  ^bb0(%in: f32, %out: f32):
    %a = arith.addf %in, %out : f32
    linalg.yield %a : f32
  } -> tensor<16xf32>
  %p = tensor.cast %g : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %p, %r : tensor<16x4xf32, #lr>, tensor<16xf32>
}

// -----

#lr = #sparsam.low_rank<2>

func.func @unknown_state(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64}, %raw: tensor<16x4xf32>,
    // expected-error@+1 {{the argument, of the shape of w, takes part in its optimizer but is not known as its state: #sparsam.low_rank<2> needs sparsam.state_of on it}}
    %m: tensor<16x4xf32>) -> tensor<16x4xf32, #lr> {
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %s = arith.addf %m, %g : tensor<16x4xf32>
  %p = tensor.cast %s : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %p : tensor<16x4xf32, #lr>
}

// -----

#lr = #sparsam.low_rank<2>

// expected-error@+1 {{the optimizer of w is not elementwise in the gradient, so #sparsam.low_rank<2> has no update for its factors}}
func.func @marked(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64, sparsam.not_elementwise}, %raw: tensor<16x4xf32>) -> tensor<16x4xf32, #lr> {
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %p = tensor.cast %g : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %p : tensor<16x4xf32, #lr>
}

// -----

#lr = #sparsam.low_rank<2>

func.func @returned_gradient(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64}, %raw: tensor<16x4xf32>) -> (tensor<16x4xf32, #lr>, tensor<16x4xf32>) {
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %p = tensor.cast %g : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  // expected-error@+1 {{'func.return' op returns a tensor of the optimizer of w as result 1, which #sparsam.low_rank<2> does not have}}
  return %p, %g : tensor<16x4xf32, #lr>, tensor<16x4xf32>
}
