// RUN: sparsam-opt %s -split-input-file -verify-diagnostics --sparsam-find-parameters

// expected-error @below {{argument 0: sparsam.updates = 1, but the function has 1 results}}
func.func @range(%w: tensor<4xf32> {sparsam.updates = 1 : i64}) -> tensor<4xf32> {
  return %w : tensor<4xf32>
}

// -----

// expected-error @below {{argument 0: expected an integer as sparsam.updates, found "w"}}
func.func @kind(%w: tensor<4xf32> {sparsam.updates = "w"}) -> tensor<4xf32> {
  return %w : tensor<4xf32>
}

// -----

// expected-error @below {{argument 0: result 0 is its new value, but has the type 'tensor<5xf32>', not 'tensor<4xf32>'}}
func.func @type(%w: tensor<4xf32> {sparsam.updates = 0 : i64}, %x: tensor<5xf32>) -> tensor<5xf32> {
  return %x : tensor<5xf32>
}

// -----

// expected-error @below {{argument 1: result 0 is the new value of argument 0 already}}
func.func @twice(%w: tensor<4xf32> {sparsam.updates = 0 : i64}, %x: tensor<4xf32> {sparsam.updates = 0 : i64}) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// expected-error @below {{argument 0: expected a path as sparsam.param, found unit}}
func.func @path(%w: tensor<4xf32> {sparsam.param}) {
  return
}

// -----

// expected-error @below {{arguments 0 and 1 are both the parameter "w"}}
func.func @same(%w: tensor<4xf32> {sparsam.param = "w"}, %v: tensor<4xf32> {sparsam.param = "w"}) {
  return
}

// -----

// expected-error @below {{argument 0 is the parameter "w"; expected a floating-point tensor of static shape, found 'tensor<4xi32>'}}
func.func @integer(%w: tensor<4xi32> {sparsam.param = "w"}) {
  return
}

// -----

// expected-error @below {{a result marks the gradient of 'v', but no argument has sparsam.param = "v"}}
func.func @unknown_mark(%w: tensor<4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}) -> (tensor<4xf32>, tensor<4xf32> {sparsam.gradient_of = "v"}) {
  return %w, %w : tensor<4xf32>, tensor<4xf32>
}

// -----

// expected-error @below {{the gradient of "w" is marked twice}}
func.func @marked_twice(%w: tensor<4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}) -> (tensor<4xf32>, tensor<4xf32> {sparsam.gradient_of = "w"}, tensor<4xf32> {sparsam.gradient_of = "w"}) {
  return %w, %w, %w : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// expected-error @below {{result 1: expected a path as sparsam.gradient_of, found unit}}
func.func @mark_kind(%w: tensor<4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}) -> (tensor<4xf32>, tensor<4xf32> {sparsam.gradient_of}) {
  return %w, %w : tensor<4xf32>, tensor<4xf32>
}

// -----

// expected-error @below {{argument 0 ('w'): its gradient is marked on a value of type 'tensor<5xf32>', not 'tensor<4xf32>'}}
func.func @mark_type(%w: tensor<4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}, %g: tensor<5xf32>) -> (tensor<4xf32>, tensor<5xf32> {sparsam.gradient_of = "w"}) {
  return %w, %g : tensor<4xf32>, tensor<5xf32>
}

// -----

// expected-error @below {{argument 0 ('w'): its gradient is marked, but it has no sparsam.updates}}
func.func @mark_read(%w: tensor<4xf32> {sparsam.param = "w"}, %g: tensor<4xf32>) -> (tensor<4xf32> {sparsam.gradient_of = "w"}) {
  return %g : tensor<4xf32>
}

// -----

// expected-error @below {{argument 0: its new value, result 0, marks a gradient}}
func.func @mark_update(%w: tensor<4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}) -> (tensor<4xf32> {sparsam.gradient_of = "w"}) {
  return %w : tensor<4xf32>
}

// -----

// The mark is on another value than the optimizer takes.

// expected-error @below {{argument 0 ('w'): its new value is not computed from the gradient that is marked, but from 'linalg.matmul'}}
func.func @unused_mark(%w: tensor<8x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}, %x: tensor<8x8xf32>, %g: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32> {sparsam.gradient_of = "w"}) {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %a = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %a : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %w1, %g : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// Two results are elementwise work on the parameter and on a product.

// expected-error @below {{argument 0 ('weights') could be updated by results 0, 1; write sparsam.updates = k : i64 on it}}
func.func @undecided(%w: tensor<8x8xf32> {sparsam.name = "weights", sparsam.param = "w"}, %x: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %a = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %a : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %w2 = linalg.add ins(%w, %a : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %w1, %w2 : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// expected-error @below {{no argument is known to be a parameter; write sparsam.param = "path" and sparsam.updates = k : i64 on each, where result k is its new value}}
func.func @nothing(%w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  return %w : tensor<8x8xf32>
}

// -----

// expected-error @below {{expected a function of one block, found 2}}
func.func @blocks(%w: tensor<4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}) -> tensor<4xf32> {
  cf.br ^bb1
^bb1:
  return %w : tensor<4xf32>
}

// -----

// What is not an error is a remark.

// expected-remark @below {{argument 0 ('w') has no gradient: its new value is computed from no product, reduction, scatter or loop of its size}}
func.func @frozen(%w: tensor<4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}) -> tensor<4xf32> {
  return %w : tensor<4xf32>
}

// -----

// expected-remark @below {{argument 0 ('w') has no gradient: its new value is not computed from the gradient that is marked}}
func.func @frozen_mark(%w: tensor<4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}, %g: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32> {sparsam.gradient_of = "w"}) {
  return %w, %g : tensor<4xf32>, tensor<4xf32>
}

// -----

// expected-remark @below {{argument 0 ('w') has no gradient: gradients of this element type are not supported}}
func.func @narrow(%w: tensor<8x8xf8E5M2> {sparsam.param = "w", sparsam.updates = 0 : i64}, %x: tensor<8x8xf8E5M2>) -> tensor<8x8xf8E5M2> {
  %zero = arith.constant dense<0.0> : tensor<8x8xf8E5M2>
  %a = linalg.matmul ins(%x, %w : tensor<8x8xf8E5M2>, tensor<8x8xf8E5M2>) outs(%zero : tensor<8x8xf8E5M2>) -> tensor<8x8xf8E5M2>
  %w1 = linalg.sub ins(%w, %a : tensor<8x8xf8E5M2>, tensor<8x8xf8E5M2>) outs(%zero : tensor<8x8xf8E5M2>) -> tensor<8x8xf8E5M2>
  return %w1 : tensor<8x8xf8E5M2>
}

// -----

// The new value multiplies two products: which is the gradient?

// expected-remark @below {{argument 0 ('w') has no gradient: the work on it cannot be told from the optimizer's; mark the gradients with sparsam.gradient}}
func.func @product(%w: tensor<8x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}, %x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %a = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %b = linalg.matmul ins(%w, %x : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %w1 = linalg.mul ins(%a, %b : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %w1 : tensor<8x8xf32>
}

// -----

// Coupled decay, without and with state.

// expected-remark @below {{argument 0 ('w'): a multiple of it is added to its gradient, which counts as the optimizer's decay, not as a term of the loss; sparsam.gradient decides}}
func.func @decay(%w: tensor<8x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}, %m: tensor<8x8xf32> {sparsam.updates = 1 : i64}, %x: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %a = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %d = linalg.add ins(%a, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %m1 = linalg.add ins(%m, %d : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %m1 : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %w1, %m1 : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// Muon, from afar: the gradient is multiplied by itself.

func.func @muon(%w: tensor<8x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}, %m: tensor<8x8xf32> {sparsam.updates = 1 : i64}, %x: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %a = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %m1 = linalg.add ins(%m, %a : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  // expected-remark @below {{argument 0 ('w'): its optimizer is not elementwise in the gradient, which enters 'linalg.matmul'}}
  %o = linalg.matmul ins(%m1, %m1 : tensor<8x8xf32>, tensor<8x8xf32>) outs(%m1 : tensor<8x8xf32>) -> tensor<8x8xf32>
  %u = linalg.add ins(%m1, %o : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %u : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %w1, %m1 : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// Shampoo, from afar: no elementwise path leads to the gradient.

func.func @shampoo(%w: tensor<8x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}, %l: tensor<8x8xf32> {sparsam.updates = 1 : i64}, %x: tensor<8x8xf32>) -> (tensor<8x4xf32>, tensor<8x8xf32>) {
  %zero = arith.constant dense<0.0> : tensor<8x4xf32>
  %a = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<8x4xf32>) -> tensor<8x4xf32>
  // expected-remark @below {{argument 0 ('w'): its optimizer is not elementwise in the gradient, which enters 'linalg.matmul'}}
  %u = linalg.matmul ins(%l, %a : tensor<8x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<8x4xf32>) -> tensor<8x4xf32>
  %w1 = linalg.sub ins(%w, %u : tensor<8x4xf32>, tensor<8x4xf32>) outs(%zero : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %w1, %l : tensor<8x4xf32>, tensor<8x8xf32>
}

// -----

// Norms: of each row (as Adafactor has it), and of the tensor.

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
func.func @rows(%w: tensor<8x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}, %x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %z = arith.constant dense<0.0> : tensor<8xf32>
  %a = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  // expected-remark @below {{argument 0 ('w'): its optimizer is not elementwise in the gradient, which enters 'linalg.reduce'}}
  %n = linalg.reduce {arith.addf} ins(%a : tensor<8x8xf32>) outs(%z : tensor<8xf32>) dimensions = [1]
  %u = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %n : tensor<8x8xf32>, tensor<8xf32>) outs(%zero : tensor<8x8xf32>) {
  ^bb0(%in: f32, %by: f32, %out: f32):
    %0 = arith.divf %in, %by : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %u : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %w1 : tensor<8x8xf32>
}

// -----

// SM3: the gradient of earlier steps, as one number for each row.

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
// expected-remark @below {{argument 0 ('w'): its optimizer is not elementwise in the gradient, which enters argument 1}}
func.func @earlier_rows(%w: tensor<8x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}, %n: tensor<8xf32> {sparsam.updates = 1 : i64}, %x: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8xf32>) {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %a = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  %n1 = linalg.reduce {arith.addf} ins(%a : tensor<8x8xf32>) outs(%n : tensor<8xf32>) dimensions = [1]
  %u = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %n : tensor<8x8xf32>, tensor<8xf32>) outs(%zero : tensor<8x8xf32>) {
  ^bb0(%in: f32, %by: f32, %out: f32):
    %0 = arith.divf %in, %by : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %u : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %w1, %n1 : tensor<8x8xf32>, tensor<8xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#scalar = affine_map<(d0, d1) -> ()>
func.func @norm(%w: tensor<8x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}, %x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %z = arith.constant dense<0.0> : tensor<f32>
  %a = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  // expected-remark @below {{argument 0 ('w'): a norm over its gradient alone counts as per tensor, not as global}}
  %n = linalg.reduce {arith.addf} ins(%a : tensor<8x8xf32>) outs(%z : tensor<f32>) dimensions = [0, 1]
  %u = linalg.generic {indexing_maps = [#id, #scalar, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %n : tensor<8x8xf32>, tensor<f32>) outs(%zero : tensor<8x8xf32>) {
  ^bb0(%in: f32, %by: f32, %out: f32):
    %0 = arith.divf %in, %by : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %u : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %w1 : tensor<8x8xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#scalar = affine_map<(d0, d1) -> ()>
// A norm of the only gradient, which is marked.
func.func @marked_norm(%w: tensor<8x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}, %x: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32> {sparsam.gradient_of = "w"}) {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %z = arith.constant dense<0.0> : tensor<f32>
  %a = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  // expected-remark @below {{argument 0 ('w'): a norm over nothing but its marked gradient counts as global, as no other parameter has one; others count as per tensor}}
  %n = linalg.reduce {arith.addf} ins(%a : tensor<8x8xf32>) outs(%z : tensor<f32>) dimensions = [0, 1]
  %u = linalg.generic {indexing_maps = [#id, #scalar, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %n : tensor<8x8xf32>, tensor<f32>) outs(%zero : tensor<8x8xf32>) {
  ^bb0(%in: f32, %by: f32, %out: f32):
    %0 = arith.divf %in, %by : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %u : tensor<8x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %w1, %a : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// expected-error @below {{expected a function that ends with func.return, found 'llvm.unreachable'}}
func.func @unreachable(%w: tensor<4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}) -> tensor<4xf32> {
  llvm.unreachable
}

// -----

// Adafactor's second moment is an outer product too, but of the gradient's own sums.
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#column = affine_map<(d0, d1) -> (d1)>
func.func @outer_of_sums(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}, %x: tensor<16xf32>, %dy: tensor<4xf32>) -> tensor<16x4xf32> {
  %e = tensor.empty() : tensor<16x4xf32>
  %zr = arith.constant dense<0.0> : tensor<16xf32>
  %zc = arith.constant dense<0.0> : tensor<4xf32>
  %g = linalg.generic {indexing_maps = [#row, #column, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %dy : tensor<16xf32>, tensor<4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %rows = linalg.reduce {arith.addf} ins(%g : tensor<16x4xf32>) outs(%zr : tensor<16xf32>) dimensions = [1]
  %columns = linalg.reduce {arith.addf} ins(%g : tensor<16x4xf32>) outs(%zc : tensor<4xf32>) dimensions = [0]
  // expected-remark @below {{argument 0 ('w'): its optimizer is not elementwise in the gradient, which enters 'linalg.generic'}}
  %v = linalg.generic {indexing_maps = [#row, #column, #id], iterator_types = ["parallel", "parallel"]} ins(%rows, %columns : tensor<16xf32>, tensor<4xf32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %u = linalg.div ins(%g, %v : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %w1 = linalg.sub ins(%w, %u : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// Without a batch a bias has no sum to end the search at.
// expected-remark @below {{argument 0 ('b') has no gradient: the work on it cannot be told from the optimizer's; mark the gradients with sparsam.gradient}}
func.func @bias_of_vector(%b: tensor<8xf32> {sparsam.param = "b", sparsam.updates = 0 : i64}, %x: tensor<8xf32>, %v: tensor<8x8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %z = arith.constant dense<0.0> : tensor<8xf32>
  %y = linalg.vecmat ins(%x, %v : tensor<8xf32>, tensor<8x8xf32>) outs(%z : tensor<8xf32>) -> tensor<8xf32>
  %yb = linalg.add ins(%y, %b : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %dy = linalg.vecmat ins(%yb, %v : tensor<8xf32>, tensor<8x8xf32>) outs(%z : tensor<8xf32>) -> tensor<8xf32>
  %g = linalg.mul ins(%dy, %yb : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %b1 = linalg.sub ins(%b, %g : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  return %b1 : tensor<8xf32>
}

// -----

// expected-error @below {{expected a function of one block, found 2}}
func.func @last_block_branches(%w: tensor<4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}) -> tensor<4xf32> {
  cf.br ^next
^next:
  cf.br ^next
}
