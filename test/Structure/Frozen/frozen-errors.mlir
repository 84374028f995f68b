// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// expected-error @below {{#sparsam.frozen<in = [2]> has input dimension 2, expected one of a tensor of rank 2}}
func.func private @view(tensor<16x8xf32, #sparsam.frozen<in = [2]>>)

// -----

// expected-error @below {{#sparsam.frozen<stack = [0, 0]> has stacked dimension 0 twice}}
func.func private @stack(tensor<4x16x8xf32, #sparsam.frozen<stack = [0, 0]>>)

// -----

// expected-error @below {{#sparsam.frozen needs elements of bf16, f16, f32 or f64, found 'i32'}}
func.func private @integers(tensor<16x8xi32, #sparsam.frozen>)
