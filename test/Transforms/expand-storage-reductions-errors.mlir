// RUN: sparsam-opt %s --sparsam-expand-storage=companions=false --split-input-file --verify-diagnostics

#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
#lr = #sparsam.low_rank<2>

// The quotient of two parameters' sums has no counterpart for factors.
// expected-note@+1 {{the parameter is here}}
func.func @quotient(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64},
                    %b: tensor<16x4xf32> {sparsam.param = "b", sparsam.updates = 1 : i64},
                    %rawW: tensor<16x4xf32>, %rawB: tensor<16x4xf32>) -> (tensor<16x4xf32, #lr>, tensor<16x4xf32>) {
  %init = arith.constant dense<0.0> : tensor<f32>
  %gw = sparsam.gradient %rawW of "w" : tensor<16x4xf32>
  %gb = sparsam.gradient %rawB of "b" : tensor<16x4xf32>
  %sw = linalg.reduce {arith.addf} ins(%gw : tensor<16x4xf32>) outs(%init : tensor<f32>) dimensions = [0, 1]
  %sb = linalg.reduce {arith.addf} ins(%gb : tensor<16x4xf32>) outs(%init : tensor<f32>) dimensions = [0, 1]
  // expected-error@+1 {{takes a scalar of the optimizer of w and those of other parameters, expected a sum, product, maximum or minimum of them, so #sparsam.low_rank<2> has no scalar for its factors; choose a pattern structure or dense}}
  %n = arith.divf %sw, %sb : tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %w1 = linalg.generic {indexing_maps = [#id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%gw, %n : tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%g: f32, %by: f32, %out: f32):
    %0 = arith.mulf %g, %by : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %we = tensor.cast %w1 : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %we, %gb : tensor<16x4xf32, #lr>, tensor<16x4xf32>
}

// -----

#lr = #sparsam.low_rank<2>

// A scalar of each tensor that is carried to the next step, as NovoGrad's.
// expected-note@+1 {{the parameter is here; if the scalar is a global one of this only parameter, mark its gradient with sparsam.gradient}}
func.func @carried(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64},
                   %nu: tensor<f32> {sparsam.updates = 1 : i64}, %raw: tensor<16x4xf32>) -> (tensor<16x4xf32, #lr>, tensor<f32>) {
  %init = arith.constant dense<0.0> : tensor<f32>
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %s = linalg.reduce {arith.addf} ins(%g : tensor<16x4xf32>) outs(%init : tensor<f32>) dimensions = [0, 1]
  %new = arith.addf %nu, %s : tensor<f32>
  %we = tensor.cast %g : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  // expected-error@+1 {{keeps a scalar of the optimizer of w alone as result 1, of which #sparsam.low_rank<2> would need one for each of its factors; choose a pattern structure or dense}}
  return %we, %new : tensor<16x4xf32, #lr>, tensor<f32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
#lr = #sparsam.low_rank<2>

// One norm of the parameter for the optimizer and for the caller: of the factors for the
// one, of their product for the other.
// expected-note@+1 {{the parameter is here}}
func.func @both(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64}, %raw: tensor<16x4xf32>) -> (tensor<16x4xf32, #lr>, tensor<f32>) {
  %init = arith.constant dense<0.0> : tensor<f32>
  %wd = tensor.cast %w : tensor<16x4xf32, #lr> to tensor<16x4xf32>
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  // expected-error@+1 {{reduces over w for the optimizer, which #sparsam.low_rank<2> does over its factors, and for result 1, where it is over their product; expected one of the two}}
  %s = linalg.reduce {arith.addf} ins(%wd : tensor<16x4xf32>) outs(%init : tensor<f32>) dimensions = [0, 1]
  %e = tensor.empty() : tensor<16x4xf32>
  %w1 = linalg.generic {indexing_maps = [#id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g, %s : tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%d: f32, %by: f32, %out: f32):
    %0 = arith.mulf %d, %by : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %we = tensor.cast %w1 : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %we, %s : tensor<16x4xf32, #lr>, tensor<f32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
#lr = #sparsam.low_rank<2>

// A sum with one that depends on the parameter, but as no gradient that is known.
// expected-note@+1 {{the parameter is here}}
func.func @unclear(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64}, %raw: tensor<16x4xf32>, %x: tensor<4x16xf32>) -> tensor<16x4xf32, #lr> {
  %init = arith.constant dense<0.0> : tensor<f32>
  %wd = tensor.cast %w : tensor<16x4xf32, #lr> to tensor<16x4xf32>
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %s = linalg.reduce {arith.addf} ins(%g : tensor<16x4xf32>) outs(%init : tensor<f32>) dimensions = [0, 1]
  %z = arith.constant dense<0.0> : tensor<4x4xf32>
  %p = linalg.matmul ins(%x, %wd : tensor<4x16xf32>, tensor<16x4xf32>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  %o = linalg.reduce {arith.addf} ins(%p : tensor<4x4xf32>) outs(%init : tensor<f32>) dimensions = [0, 1]
  // expected-error@+1 {{takes a scalar of the optimizer of w and one that is not known to be of the optimizer; mark the gradients with sparsam.gradient}}
  %n = arith.addf %s, %o : tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %w1 = linalg.generic {indexing_maps = [#id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g, %n : tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%d: f32, %by: f32, %out: f32):
    %0 = arith.mulf %d, %by : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %we = tensor.cast %w1 : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %we : tensor<16x4xf32, #lr>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
#lr = #sparsam.low_rank<2>

// A mean whose division stands in front of the sum.
// expected-note@+1 {{the parameter is here}}
func.func @divided_terms(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64}, %raw: tensor<16x4xf32>) -> tensor<16x4xf32, #lr> {
  %init = arith.constant dense<0.0> : tensor<f32>
  %count = arith.constant dense<64.0> : tensor<16x4xf32>
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  // expected-error@+1 {{divides what is summed over w by 64, the number of its elements, which #sparsam.low_rank<2> has another of; divide the sum}}
  %d = arith.divf %g, %count : tensor<16x4xf32>
  %s = linalg.reduce {arith.addf} ins(%d : tensor<16x4xf32>) outs(%init : tensor<f32>) dimensions = [0, 1]
  %e = tensor.empty() : tensor<16x4xf32>
  %w1 = linalg.generic {indexing_maps = [#id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g, %s : tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%a: f32, %by: f32, %out: f32):
    %0 = arith.mulf %a, %by : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %we = tensor.cast %w1 : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %we : tensor<16x4xf32, #lr>
}
