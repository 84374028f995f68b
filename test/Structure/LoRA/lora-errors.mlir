// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// Constraint 1.
// expected-error @below {{expected a rank of at least 1, found 0}}
func.func private @no_rank(tensor<16x8xf32, #sparsam.lora<0>>)

// -----

// expected-error @below {{expected an alpha that is finite and above zero, found 0}}
func.func private @alpha(tensor<16x8xf32, #sparsam.lora<2, alpha = 0>>)

// -----

// Constraint 2.
// expected-error @below {{#sparsam.lora<9, alpha = 1.500000e+00> has a rank larger than the shape: expected at most 8 for 16x8}}
func.func private @rank(tensor<16x8xf32, #sparsam.lora<9, alpha = 1.5>>)

// -----

// Constraint 3.
// expected-error @below {{base must be a pattern structure, found #sparsam.low_rank<2>}}
func.func private @base(tensor<16x8xf32, #sparsam.lora<2, base = low_rank<2>>>)

// -----

// expected-error @below {{base must be in the default view, found #sparsam.nm<2:4, in = [1]>}}
func.func private @view(tensor<16x8xf32, #sparsam.lora<2, base = nm<2:4, in = [1]>>>)

// -----

// expected-error @below {{#sparsam.nm<2:5> needs inputs that are a multiple of M = 5, found 16 (remainder 1)}}
func.func private @fits(tensor<16x8xf32, #sparsam.lora<2, base = nm<2:5>>>)
