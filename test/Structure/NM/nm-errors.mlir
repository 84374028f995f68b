// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// Constraint 1.
// expected-error @below {{expected 1 <= N <= M, found 5:4}}
func.func private @n_over_m(tensor<16x8xf32, #sparsam.nm<5:4>>)

// -----

// expected-error @below {{expected 1 <= N <= M, found 0:4}}
func.func private @no_n(tensor<16x8xf32, #sparsam.nm<0:4>>)

// -----

// expected-error @below {{expected a vector of at least 1, found 0}}
func.func private @no_vector(tensor<16x8xf32, #sparsam.nm<2:4, vector = 0>>)

// -----

// Constraint 2.
// expected-error @below {{#sparsam.nm<2:4> needs inputs that are a multiple of M = 4, found 18 (remainder 2)}}
func.func private @inputs(tensor<18x8xf32, #sparsam.nm<2:4>>)

// -----

// Constraint 3.
// expected-error @below {{#sparsam.nm<2:4, vector = 8> needs outputs that are a multiple of vector = 8, found 12 (remainder 4)}}
func.func private @outputs(tensor<16x12xf32, #sparsam.nm<2:4, vector = 8>>)

// -----

// Constraint 4.
// expected-error @below {{expected a vector of 1 in a transposable pattern, found 4}}
func.func private @vector(tensor<16x8xf32, #sparsam.nm<2:4, transposable, vector = 4>>)

// -----

// Constraint 5.
// expected-error @below {{#sparsam.nm<2:4, transposable> needs outputs that are a multiple of M = 4, found 6 (remainder 2)}}
func.func private @both_ways(tensor<16x6xf32, #sparsam.nm<2:4, transposable>>)

// -----

// expected-error @below {{expected one of transposable, vector, in, stack, found `vectors`}}
func.func private @unknown(tensor<16x8xf32, #sparsam.nm<2:4, vectors = 4>>)

// -----

// expected-error @below {{`in` is given twice}}
func.func private @twice(tensor<16x8xf32, #sparsam.nm<2:4, in = [0], in = [1]>>)
