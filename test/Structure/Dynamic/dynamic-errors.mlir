// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// Constraint 1.
// expected-error @below {{the structure inside must be a pattern structure, found #sparsam.low_rank<2>}}
func.func private @factors(tensor<16x8xf32, #sparsam.dynamic<low_rank<2>>>)

// -----

// expected-error @below {{the structure inside must be in the default view, found #sparsam.nm<2:4, in = [1]>}}
func.func private @view(tensor<16x8xf32, #sparsam.dynamic<nm<2:4, in = [1]>>>)

// -----

// Constraint 2.
// expected-error @below {{#sparsam.nm<2:5> needs inputs that are a multiple of M = 5, found 16 (remainder 1)}}
func.func private @fits(tensor<16x8xf32, #sparsam.dynamic<nm<2:5>>>)

// -----

// Constraint 3.
// expected-error @below {{expected a decay that is finite and not below zero, found -1}}
func.func private @negative(tensor<16x8xf32, #sparsam.dynamic<nm<2:4>, decay = -1>>)

// -----

// Constraint 4.
// expected-error @below {{decay and soft exclude one another}}
func.func private @both(tensor<16x8xf32, #sparsam.dynamic<nm<2:4>, decay = 1, soft = true>>)
