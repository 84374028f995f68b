// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// Constraint 1.
// expected-error @below {{expected a rank of at least 1, found 0}}
func.func private @no_rank(tensor<16x8xf32, #sparsam.low_rank<0>>)

// -----

// Constraint 2.
// expected-error @below {{#sparsam.low_rank<9> has a rank larger than the shape: expected at most 8 for 16x8}}
func.func private @rank(tensor<16x8xf32, #sparsam.low_rank<9>>)
