// What happens to the parts of a gradient before they are summed.
// RUN: sparsam-opt %s -split-input-file --sparsam-find-parameters -verify-diagnostics | FileCheck %s

// A loop over microbatches that adds products: the sum is the gradient.

// CHECK-LABEL: func.func @sum
// CHECK-SAME: {sparsam.param = "w", sparsam.updates = 0 : i64}
// CHECK: %[[SUM:.*]] = scf.for
// CHECK: sparsam.gradient %[[SUM]] of "w"
func.func @sum(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
               %x: tensor<16x8xf32>, %y: tensor<8x4xf32>, %scale: tensor<16x4xf32>) -> tensor<16x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %sum = scf.for %i = %c0 to %c2 step %c1 iter_args(%acc = %zero) -> tensor<16x4xf32> {
    %g = linalg.matmul ins(%x, %y : tensor<16x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<16x4xf32>) -> tensor<16x4xf32>
    %scaled = linalg.mul ins(%g, %scale : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    %next = linalg.add ins(%acc, %scaled : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    scf.yield %next : tensor<16x4xf32>
  }
  %w1 = linalg.sub ins(%w, %sum : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// The norm of each microbatch's gradient divides it.

// CHECK-LABEL: func.func @norm
// CHECK-SAME: sparsam.no_gradient = "its parts are scaled by what is computed of all their entries (a norm, say) before they are summed; do that to the sum"
// CHECK-NOT: sparsam.gradient
// expected-remark @below {{argument 0 ('w') has no gradient: its parts are scaled by what is computed of all their entries}}
func.func @norm(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                %x: tensor<16x8xf32>, %y: tensor<8x4xf32>) -> tensor<16x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %none = arith.constant dense<0.0> : tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %sum = scf.for %i = %c0 to %c2 step %c1 iter_args(%acc = %zero) -> tensor<16x4xf32> {
    %g = linalg.matmul ins(%x, %y : tensor<16x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<16x4xf32>) -> tensor<16x4xf32>
    %square = linalg.mul ins(%g, %g : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    %norm = linalg.reduce { arith.addf } ins(%square : tensor<16x4xf32>) outs(%none : tensor<f32>) dimensions = [0, 1]
    %all = linalg.broadcast ins(%norm : tensor<f32>) outs(%e : tensor<16x4xf32>) dimensions = [0, 1]
    %clipped = linalg.div ins(%g, %all : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    %next = linalg.add ins(%acc, %clipped : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    scf.yield %next : tensor<16x4xf32>
  }
  %w1 = linalg.sub ins(%w, %sum : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// The norm of what was summed so far.

// CHECK-LABEL: func.func @norm_of_sum
// CHECK-SAME: sparsam.no_gradient
// expected-remark @below {{argument 0 ('w') has no gradient: its parts are scaled by what is computed of all their entries}}
func.func @norm_of_sum(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                       %x: tensor<16x8xf32>, %y: tensor<8x4xf32>) -> tensor<16x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %none = arith.constant dense<0.0> : tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %sum = scf.for %i = %c0 to %c2 step %c1 iter_args(%acc = %zero) -> tensor<16x4xf32> {
    %g = linalg.matmul ins(%x, %y : tensor<16x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<16x4xf32>) -> tensor<16x4xf32>
    %norm = linalg.reduce { arith.maximumf } ins(%acc : tensor<16x4xf32>) outs(%none : tensor<f32>) dimensions = [0, 1]
    %all = linalg.broadcast ins(%norm : tensor<f32>) outs(%e : tensor<16x4xf32>) dimensions = [0, 1]
    %clipped = linalg.div ins(%acc, %all : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    %next = linalg.add ins(%clipped, %g : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    scf.yield %next : tensor<16x4xf32>
  }
  %w1 = linalg.sub ins(%w, %sum : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// The gradient of each example, weighted by its norm.

#row = affine_map<(b, k, n) -> (b, k, n)>
#one = affine_map<(b, k, n) -> (b)>
#sum = affine_map<(b, k, n) -> (k, n)>

// CHECK-LABEL: func.func @examples
// CHECK-SAME: sparsam.no_gradient
// expected-remark @below {{argument 0 ('w') has no gradient: its parts are scaled by what is computed of all their entries}}
func.func @examples(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                    %x: tensor<2x16x8xf32>, %y: tensor<2x8x4xf32>) -> tensor<16x4xf32> {
  %zeros = arith.constant dense<0.0> : tensor<2x16x4xf32>
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %none = arith.constant dense<0.0> : tensor<2xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %g = linalg.batch_matmul ins(%x, %y : tensor<2x16x8xf32>, tensor<2x8x4xf32>) outs(%zeros : tensor<2x16x4xf32>) -> tensor<2x16x4xf32>
  %norm = linalg.generic {indexing_maps = [#row, #row, #one], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%g, %g : tensor<2x16x4xf32>, tensor<2x16x4xf32>) outs(%none : tensor<2xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %square = arith.mulf %a, %b : f32
    %next = arith.addf %acc, %square : f32
    linalg.yield %next : f32
  } -> tensor<2xf32>
  %sum = linalg.generic {indexing_maps = [#one, #row, #sum], iterator_types = ["reduction", "parallel", "parallel"]}
      ins(%norm, %g : tensor<2xf32>, tensor<2x16x4xf32>) outs(%zero : tensor<16x4xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %scaled = arith.mulf %a, %b : f32
    %next = arith.addf %acc, %scaled : f32
    linalg.yield %next : f32
  } -> tensor<16x4xf32>
  %w1 = linalg.sub ins(%w, %sum : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// The bias of attention scores, summed over the batch: p (dp - sum(dp p)) is linear in dp,
// and p is what it is.

#all = affine_map<(b, t, s) -> (b, t, s)>
#rows = affine_map<(b, t, s) -> (b, t)>
#bias = affine_map<(b, t, s) -> (t, s)>

// CHECK-LABEL: func.func @softmax
// CHECK-SAME: {sparsam.param = "bias", sparsam.updates = 0 : i64}
// CHECK: sparsam.gradient
func.func @softmax(%w: tensor<8x8xf32> {sparsam.param = "bias", sparsam.updates = 0 : i64},
                   %q: tensor<2x8x4xf32>, %k: tensor<2x4x8xf32>,
                   %dy: tensor<2x8x4xf32>, %v: tensor<2x4x8xf32>) -> tensor<8x8xf32> {
  %zeros = arith.constant dense<0.0> : tensor<2x8x8xf32>
  %none = arith.constant dense<0.0> : tensor<2x8xf32>
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %es = tensor.empty() : tensor<2x8x8xf32>
  %e = tensor.empty() : tensor<8x8xf32>
  %scores = linalg.batch_matmul ins(%q, %k : tensor<2x8x4xf32>, tensor<2x4x8xf32>) outs(%zeros : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %p = linalg.exp ins(%scores : tensor<2x8x8xf32>) outs(%es : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %dp = linalg.batch_matmul ins(%dy, %v : tensor<2x8x4xf32>, tensor<2x4x8xf32>) outs(%zeros : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %inner = linalg.generic {indexing_maps = [#all, #all, #rows], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%p, %dp : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%none : tensor<2x8xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %acc, %product : f32
    linalg.yield %next : f32
  } -> tensor<2x8xf32>
  %dscores = linalg.generic {indexing_maps = [#all, #all, #rows, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%p, %dp, %inner : tensor<2x8x8xf32>, tensor<2x8x8xf32>, tensor<2x8xf32>) outs(%es : tensor<2x8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %out: f32):
    %difference = arith.subf %b, %c : f32
    %product = arith.mulf %a, %difference : f32
    linalg.yield %product : f32
  } -> tensor<2x8x8xf32>
  %sum = linalg.generic {indexing_maps = [#all, #bias], iterator_types = ["reduction", "parallel", "parallel"]}
      ins(%dscores : tensor<2x8x8xf32>) outs(%zero : tensor<8x8xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %next = arith.addf %acc, %a : f32
    linalg.yield %next : f32
  } -> tensor<8x8xf32>
  %w1 = linalg.sub ins(%w, %sum : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %w1 : tensor<8x8xf32>
}

// -----

// A norm decides in a branch which parts count.

// CHECK-LABEL: func.func @chosen
// CHECK-SAME: sparsam.no_gradient
// expected-remark @below {{argument 0 ('w') has no gradient: its parts are scaled by what is computed of all their entries}}
func.func @chosen(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                  %x: tensor<16x8xf32>, %y: tensor<8x4xf32>) -> tensor<16x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %limit = arith.constant 1.0 : f32
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %none = arith.constant dense<0.0> : tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %sum = scf.for %i = %c0 to %c2 step %c1 iter_args(%acc = %zero) -> tensor<16x4xf32> {
    %g = linalg.matmul ins(%x, %y : tensor<16x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<16x4xf32>) -> tensor<16x4xf32>
    %norm = linalg.reduce { arith.maximumf } ins(%g : tensor<16x4xf32>) outs(%none : tensor<f32>) dimensions = [0, 1]
    %largest = tensor.extract %norm[] : tensor<f32>
    %isSmall = arith.cmpf olt, %largest, %limit : f32
    %next = scf.if %isSmall -> tensor<16x4xf32> {
      %added = linalg.add ins(%acc, %g : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
      scf.yield %added : tensor<16x4xf32>
    } else {
      scf.yield %acc : tensor<16x4xf32>
    }
    scf.yield %next : tensor<16x4xf32>
  }
  %w1 = linalg.sub ins(%w, %sum : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// Entries that are worked on one by one: patterns see the same, factors do not.

// CHECK-LABEL: func.func @entries
// CHECK-SAME: sparsam.not_elementwise = "whose parts are worked on (by a sign, a clip) before they are summed"
// CHECK: %[[SUM:.*]]:2 = scf.while
// CHECK: sparsam.gradient %[[SUM]]#0 of "w"
func.func @entries(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                   %x: tensor<16x8xf32>, %y: tensor<8x4xf32>) -> tensor<16x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  // expected-remark @below {{argument 0 ('w'): its optimizer is not elementwise in the gradient, whose parts are worked on (by a sign, a clip) before they are summed}}
  %sum:2 = scf.while (%acc = %zero, %i = %c0) : (tensor<16x4xf32>, index) -> (tensor<16x4xf32>, index) {
    %isMore = arith.cmpi slt, %i, %c2 : index
    scf.condition(%isMore) %acc, %i : tensor<16x4xf32>, index
  } do {
  ^bb0(%acc: tensor<16x4xf32>, %i: index):
    %g = linalg.matmul ins(%x, %y : tensor<16x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<16x4xf32>) -> tensor<16x4xf32>
    %bounded = linalg.tanh ins(%g : tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    %next = linalg.add ins(%acc, %bounded : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    %j = arith.addi %i, %c1 : index
    scf.yield %next, %j : tensor<16x4xf32>, index
  }
  %w1 = linalg.sub ins(%w, %sum#0 : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// Several updates in one step: the loop reads what it updates.

// CHECK-LABEL: func.func @updates
// CHECK-SAME: sparsam.no_gradient = "it is updated inside 'scf.for'; compile one update as the step"
// CHECK-NOT: sparsam.gradient
// expected-remark @below {{argument 0 ('w') has no gradient: it is updated inside 'scf.for'; compile one update as the step}}
func.func @updates(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                   %x: tensor<8x16xf32>, %xt: tensor<16x8xf32>) -> tensor<16x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %zeros = arith.constant dense<0.0> : tensor<8x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %w2 = scf.for %i = %c0 to %c2 step %c1 iter_args(%now = %w) -> tensor<16x4xf32> {
    %y = linalg.matmul ins(%x, %now : tensor<8x16xf32>, tensor<16x4xf32>) outs(%zeros : tensor<8x4xf32>) -> tensor<8x4xf32>
    %g = linalg.matmul ins(%xt, %y : tensor<16x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<16x4xf32>) -> tensor<16x4xf32>
    %next = linalg.sub ins(%now, %g : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    scf.yield %next : tensor<16x4xf32>
  }
  return %w2 : tensor<16x4xf32>
}

// -----

// The same, where the loop carries how far it came.

// CHECK-LABEL: func.func @distance
// CHECK-SAME: sparsam.no_gradient
// expected-remark @below {{argument 0 ('w') has no gradient: it is updated inside 'scf.for'; compile one update as the step}}
func.func @distance(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                    %x: tensor<8x16xf32>, %xt: tensor<16x8xf32>) -> tensor<16x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %zeros = arith.constant dense<0.0> : tensor<8x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %moved = scf.for %i = %c0 to %c2 step %c1 iter_args(%d = %zero) -> tensor<16x4xf32> {
    %now = linalg.add ins(%w, %d : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    %y = linalg.matmul ins(%x, %now : tensor<8x16xf32>, tensor<16x4xf32>) outs(%zeros : tensor<8x4xf32>) -> tensor<8x4xf32>
    %g = linalg.matmul ins(%xt, %y : tensor<16x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<16x4xf32>) -> tensor<16x4xf32>
    %next = linalg.sub ins(%d, %g : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    scf.yield %next : tensor<16x4xf32>
  }
  %w1 = linalg.add ins(%w, %moved : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// A sum that starts from a multiple of the parameter is none.

// CHECK-LABEL: func.func @decay
// CHECK-SAME: {sparsam.param = "w", sparsam.updates = 0 : i64}
// CHECK: sparsam.gradient
func.func @decay(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                 %x: tensor<16x8xf32>, %y: tensor<8x4xf32>, %rate: tensor<16x4xf32>) -> tensor<16x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %e = tensor.empty() : tensor<16x4xf32>
  %start = linalg.mul ins(%w, %rate : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %sum = scf.for %i = %c0 to %c2 step %c1 iter_args(%acc = %start) -> tensor<16x4xf32> {
    %next = linalg.matmul ins(%x, %y : tensor<16x8xf32>, tensor<8x4xf32>) outs(%acc : tensor<16x4xf32>) -> tensor<16x4xf32>
    scf.yield %next : tensor<16x4xf32>
  }
  %w1 = linalg.sub ins(%w, %sum : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// The norms of the parts scale the sum.

// CHECK-LABEL: func.func @norm_beside
// CHECK-SAME: sparsam.no_gradient
// expected-remark @below {{argument 0 ('w') has no gradient: its parts are scaled by what is computed of all their entries}}
func.func @norm_beside(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                       %x: tensor<16x8xf32>, %y: tensor<8x4xf32>) -> tensor<16x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %none = arith.constant dense<0.0> : tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %sum:2 = scf.for %i = %c0 to %c2 step %c1 iter_args(%acc = %zero, %norms = %none) -> (tensor<16x4xf32>, tensor<f32>) {
    %g = linalg.matmul ins(%x, %y : tensor<16x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<16x4xf32>) -> tensor<16x4xf32>
    %norm = linalg.reduce { arith.maximumf } ins(%g : tensor<16x4xf32>) outs(%norms : tensor<f32>) dimensions = [0, 1]
    %next = linalg.add ins(%acc, %g : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    scf.yield %next, %norm : tensor<16x4xf32>, tensor<f32>
  }
  %all = linalg.broadcast ins(%sum#1 : tensor<f32>) outs(%e : tensor<16x4xf32>) dimensions = [0, 1]
  %scaled = linalg.div ins(%sum#0, %all : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %w1 = linalg.sub ins(%w, %scaled : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// The product of a part with itself is a norm, too; of a column.

// CHECK-LABEL: func.func @gram
// CHECK-SAME: sparsam.no_gradient
// expected-remark @below {{argument 0 ('w') has no gradient: its parts are scaled by what is computed of all their entries}}
func.func @gram(%w: tensor<16x1xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                %x: tensor<16x8xf32>, %y: tensor<8x1xf32>) -> tensor<16x1xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant dense<0.0> : tensor<16x1xf32>
  %none = arith.constant dense<0.0> : tensor<1x1xf32>
  %e = tensor.empty() : tensor<16x1xf32>
  %et = tensor.empty() : tensor<1x16xf32>
  %sum = scf.for %i = %c0 to %c2 step %c1 iter_args(%acc = %zero) -> tensor<16x1xf32> {
    %g = linalg.matmul ins(%x, %y : tensor<16x8xf32>, tensor<8x1xf32>) outs(%zero : tensor<16x1xf32>) -> tensor<16x1xf32>
    %gt = linalg.transpose ins(%g : tensor<16x1xf32>) outs(%et : tensor<1x16xf32>) permutation = [1, 0]
    %norm = linalg.matmul ins(%gt, %g : tensor<1x16xf32>, tensor<16x1xf32>) outs(%none : tensor<1x1xf32>) -> tensor<1x1xf32>
    %one = tensor.collapse_shape %norm [] : tensor<1x1xf32> into tensor<f32>
    %all = linalg.broadcast ins(%one : tensor<f32>) outs(%e : tensor<16x1xf32>) dimensions = [0, 1]
    %scaled = linalg.div ins(%g, %all : tensor<16x1xf32>, tensor<16x1xf32>) outs(%e : tensor<16x1xf32>) -> tensor<16x1xf32>
    %next = linalg.add ins(%acc, %scaled : tensor<16x1xf32>, tensor<16x1xf32>) outs(%e : tensor<16x1xf32>) -> tensor<16x1xf32>
    scf.yield %next : tensor<16x1xf32>
  }
  %w1 = linalg.sub ins(%w, %sum : tensor<16x1xf32>, tensor<16x1xf32>) outs(%e : tensor<16x1xf32>) -> tensor<16x1xf32>
  return %w1 : tensor<16x1xf32>
}

// -----

// An update in a branch.

// CHECK-LABEL: func.func @update_or_not
// CHECK-SAME: sparsam.no_gradient
// expected-remark @below {{argument 0 ('w') has no gradient: it is updated inside 'scf.if'; compile one update as the step}}
func.func @update_or_not(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                         %x: tensor<16x8xf32>, %y: tensor<8x4xf32>, %on: tensor<i1>) -> tensor<16x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %isOn = tensor.extract %on[] : tensor<i1>
  %w1 = scf.if %isOn -> tensor<16x4xf32> {
    %g = linalg.matmul ins(%x, %y : tensor<16x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<16x4xf32>) -> tensor<16x4xf32>
    %next = linalg.sub ins(%w, %g : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    scf.yield %next : tensor<16x4xf32>
  } else {
    scf.yield %w : tensor<16x4xf32>
  }
  return %w1 : tensor<16x4xf32>
}

// -----

// A term of the parameter itself that a nonlinear loss scales, beside a product: the loss is
// no part of the gradient.

// CHECK-LABEL: func.func @scaled_term
// CHECK-SAME: {sparsam.param = "w", sparsam.updates = 0 : i64}
// CHECK: sparsam.gradient
func.func @scaled_term(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                       %x: tensor<8x16xf32>, %xt: tensor<16x8xf32>) -> tensor<16x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %zeros = arith.constant dense<0.0> : tensor<8x4xf32>
  %none = arith.constant dense<0.0> : tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %es = tensor.empty() : tensor<8x4xf32>
  %sum = scf.for %i = %c0 to %c2 step %c1 iter_args(%acc = %zero) -> tensor<16x4xf32> {
    %z = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x4xf32>) outs(%zeros : tensor<8x4xf32>) -> tensor<8x4xf32>
    %dz = linalg.tanh ins(%z : tensor<8x4xf32>) outs(%es : tensor<8x4xf32>) -> tensor<8x4xf32>
    %dw = linalg.matmul ins(%xt, %dz : tensor<16x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<16x4xf32>) -> tensor<16x4xf32>
    %loss = linalg.reduce { arith.addf } ins(%dz : tensor<8x4xf32>) outs(%none : tensor<f32>) dimensions = [0, 1]
    %all = linalg.broadcast ins(%loss : tensor<f32>) outs(%e : tensor<16x4xf32>) dimensions = [0, 1]
    %term = linalg.mul ins(%w, %all : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    %both = linalg.add ins(%dw, %term : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    %next = linalg.add ins(%acc, %both : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    scf.yield %next : tensor<16x4xf32>
  }
  %w1 = linalg.sub ins(%w, %sum : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// What the front end says of a parameter stays.

// CHECK-LABEL: func.func @known
// CHECK-SAME: sparsam.no_gradient = "a later backward pass depends on it"
// CHECK-NOT: sparsam.gradient
// expected-remark @below {{argument 0 ('w') has no gradient: a later backward pass depends on it}}
func.func @known(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64, sparsam.no_gradient = "a later backward pass depends on it"},
                 %x: tensor<16x8xf32>, %y: tensor<8x4xf32>) -> tensor<16x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %g = linalg.matmul ins(%x, %y : tensor<16x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<16x4xf32>) -> tensor<16x4xf32>
  %w1 = linalg.sub ins(%w, %g : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1 : tensor<16x4xf32>
}

// -----

// The squares of the parts are returned beside the update; those of the sum are the
// gradient's.

// CHECK-LABEL: func.func @squares
// CHECK: sparsam.gradient
func.func @squares(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                   %x: tensor<16x8xf32>, %y: tensor<8x4xf32>)
    -> (tensor<16x4xf32>, tensor<f32> {sparsam.name = "noise"}, tensor<f32> {sparsam.name = "signal"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %none = arith.constant dense<0.0> : tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  // expected-remark @below {{argument 0 ('w'): result 'noise' is computed from parts of its gradient before they are summed, all of whose entries count}}
  %sum, %noise = scf.for %i = %c0 to %c2 step %c1 iter_args(%acc = %zero, %norms = %none) -> (tensor<16x4xf32>, tensor<f32>) {
    %g = linalg.matmul ins(%x, %y : tensor<16x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<16x4xf32>) -> tensor<16x4xf32>
    %square = linalg.mul ins(%g, %g : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    %norm = linalg.reduce { arith.addf } ins(%square : tensor<16x4xf32>) outs(%norms : tensor<f32>) dimensions = [0, 1]
    %next = linalg.add ins(%acc, %g : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
    scf.yield %next, %norm : tensor<16x4xf32>, tensor<f32>
  }
  %square = linalg.mul ins(%sum, %sum : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %signal = linalg.reduce { arith.addf } ins(%square : tensor<16x4xf32>) outs(%none : tensor<f32>) dimensions = [0, 1]
  %w1 = linalg.sub ins(%w, %sum : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  return %w1, %noise, %signal : tensor<16x4xf32>, tensor<f32>, tensor<f32>
}
