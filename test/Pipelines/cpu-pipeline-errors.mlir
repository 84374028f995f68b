// The pipeline stops at the first pass that refuses, with that pass's one error.
// RUN: sparsam-opt %s --sparsam-cpu-pipeline="structures=w=nm<2:4>" -split-input-file -verify-diagnostics

// expected-error @+1 {{no argument is known to be a parameter; write sparsam.param = "path"}}
func.func @nothing(%a: tensor<4xf32>) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}

// -----

// expected-error @+1 {{argument 0 is the parameter "w"; expected a floating-point tensor of static shape, found 'tensor<?x4xf32>'}}
func.func @dynamic(%w: tensor<?x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}) -> tensor<?x4xf32> {
  return %w : tensor<?x4xf32>
}

// -----

// expected-error @+1 {{expected a function of one block, found 2}}
func.func @blocks(%w: tensor<4x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}) -> tensor<4x4xf32> {
  cf.br ^next
^next:
  return %w : tensor<4x4xf32>
}

// -----

// expected-error @+1 {{expected a function that ends with func.return, found 'llvm.unreachable'}}
func.func @unreachable(%w: tensor<4x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64}) -> tensor<4x4xf32> {
  llvm.unreachable
}

// -----

// Eight bits have no structure.
// expected-remark @+2 {{has no gradient: gradients of this element type are not supported}}
// expected-error @+1 {{w: #sparsam.nm<2:4> needs elements of bf16, f16, f32 or f64, found 'f8E5M2'}}
func.func @narrow(%w: tensor<8x4xf8E5M2> {sparsam.param = "w", sparsam.updates = 0 : i64}, %g: tensor<8x4xf8E5M2>) -> tensor<8x4xf8E5M2> {
  %0 = arith.subf %w, %g : tensor<8x4xf8E5M2>
  return %0 : tensor<8x4xf8E5M2>
}
