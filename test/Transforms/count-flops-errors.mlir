// RUN: sparsam-opt %s -sparsam-count-flops -split-input-file -verify-diagnostics

// What is not known is counted for less, and said.

// expected-remark@+1 {{@length has 1024 FLOPs in products: contractions 1024}}
func.func @length(%n: index, %x: tensor<8x16xf32>, %w: tensor<16x4xf32>, %zero: tensor<8x4xf32>)
    -> tensor<8x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-remark@+1 {{counts for less than it costs: how often it runs is not known}}
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<8x4xf32>) {
    %next = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x4xf32>)
        outs(%acc : tensor<8x4xf32>) -> tensor<8x4xf32>
    scf.yield %next : tensor<8x4xf32>
  }
  return %y : tensor<8x4xf32>
}

// -----

// A loop without products may run as often as it likes.
// expected-remark@+1 {{@sums has 0 FLOPs in products}}
func.func @sums(%n: index, %x: f32) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %x) -> (f32) {
    %next = arith.addf %acc, %x : f32
    scf.yield %next : f32
  }
  return %y : f32
}

// -----

// expected-remark@+1 {{@shape has 0 FLOPs in products}}
func.func @shape(%x: tensor<?x16xf32>, %w: tensor<16x4xf32>, %zero: tensor<?x4xf32>)
    -> tensor<?x4xf32> {
  // expected-remark@+1 {{counts for less than it costs: its shape is not static}}
  %y = linalg.matmul ins(%x, %w : tensor<?x16xf32>, tensor<16x4xf32>)
      outs(%zero : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// expected-remark@+1 {{@recursive has 1024 FLOPs in products: contractions 1024}}
func.func @recursive(%x: tensor<8x16xf32>, %w: tensor<16x4xf32>, %zero: tensor<8x4xf32>)
    -> tensor<8x4xf32> {
  %y = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x4xf32>)
      outs(%zero : tensor<8x4xf32>) -> tensor<8x4xf32>
  // expected-remark@+1 {{counts for less than it costs: it is recursive}}
  %again = func.call @recursive(%x, %w, %y)
      : (tensor<8x16xf32>, tensor<16x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  return %again : tensor<8x4xf32>
}
