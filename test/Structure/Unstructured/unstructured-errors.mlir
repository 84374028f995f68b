// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// Constraint 1.
// expected-error @below {{expected a density from 0 to 1, found 2}}
func.func private @dense(tensor<16x8xf32, #sparsam.unstructured<density = 2>>)

// -----

// expected-error @below {{expected a density from 0 to 1, found -0.5}}
func.func private @negative(tensor<16x8xf32, #sparsam.unstructured<density = -0.5>>)

// -----

// Constraint 2.
// expected-error @below {{#sparsam.unstructured<density = 0.5> stores 2147483648 entries of 65536x65536, expected fewer than 2^31; lower the density}}
func.func private @many(tensor<65536x65536xf32, #sparsam.unstructured<density = 0.5>>)

// -----

// expected-error @below {{expected a number, found "half"}}
// expected-error @below {{failed to parse Sparsam_Unstructured parameter 'density'}}
func.func private @text(tensor<16x8xf32, #sparsam.unstructured<density = "half">>)
