// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// expected-error @below {{unknown structure `banded`, expected one of }}
func.func private @unknown(tensor<16x8xf32, #sparsam.banded<3>>)

// -----

// expected-error @below {{needs elements of bf16, f16, f32 or f64, found 'i32'}}
func.func private @elements(tensor<16x8xi32, #sparsam.nm<2:4>>)

// -----

// expected-error @below {{needs a static shape, found 'tensor<?x8xf32>'}}
func.func private @dynamic(tensor<?x8xf32, #sparsam.nm<2:4>>)

// -----

// expected-error @below {{needs inputs that are a multiple of M = 4, found 1 (remainder 1)}}
func.func private @vector(tensor<16xf32, #sparsam.nm<2:4>>)

// -----

// expected-error @below {{has input dimension 2, expected one of a tensor of rank 2}}
func.func private @view_range(tensor<16x8xf32, #sparsam.nm<2:4, in = [2]>>)

// -----

// expected-error @below {{has input dimension 0 twice}}
func.func private @view_repeat(tensor<16x8xf32, #sparsam.nm<2:4, in = [0, 0]>>)

// -----

// expected-error @below {{expected at least one input dimension}}
func.func private @view_empty(tensor<16x8xf32, #sparsam.nm<2:4, in = []>>)
