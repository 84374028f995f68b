// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// Constraint 1.
// expected-error @below {{expected a rank of at least 1, found 0}}
func.func private @no_rank(tensor<16x8xf32, #sparsam.low_rank<0>>)

// -----

// Constraint 2.
// expected-error @below {{#sparsam.low_rank<9> has a rank larger than the shape: expected at most 8 for 16x8}}
func.func private @rank(tensor<16x8xf32, #sparsam.low_rank<9>>)

// -----

// Constraint 3.
// expected-error @below {{factors must be a pattern structure, found #sparsam.low_rank<2>}}
func.func private @kind(tensor<16x8xf32, #sparsam.low_rank<4, factors = low_rank<2>>>)

// -----

// expected-error @below {{factors must be in the default view, found #sparsam.nm<2:4, in = [1]>}}
func.func private @view(tensor<16x8xf32, #sparsam.low_rank<4, factors = nm<2:4, in = [1]>>>)

// -----

// The inputs of V are U's outputs.
// expected-error @below {{#sparsam.nm<2:4> needs inputs that are a multiple of M = 4, found 6 (remainder 2)}}
func.func private @fits(tensor<16x8xf32, #sparsam.low_rank<6, factors = nm<2:4>>>)
