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
func.func private @text(tensor<16x8xf32, #sparsam.unstructured<density = "half">>)

// -----

// expected-error @below {{expected a number, found `nan`}}
func.func private @nan(tensor<16x8xf32, #sparsam.unstructured<density = nan>>)

// -----

// expected-error @below {{expected `density`, the share of entries that are stored, as in `density = 0.25`}}
func.func private @none(tensor<16x8xf32, #sparsam.unstructured<>>)

// -----

// expected-error @below {{expected `density`, the share of entries that are stored, as in `density = 0.25`}}
func.func private @view(tensor<16x8xf32, #sparsam.unstructured<in = [0]>>)

// -----

// expected-error @below {{expected one of density, in, stack, found `share`}}
func.func private @other(tensor<16x8xf32, #sparsam.unstructured<share = 0.5>>)

// -----

// expected-error @below {{`density` is given twice}}
func.func private @twice(tensor<16x8xf32, #sparsam.unstructured<density = 0.5, density = 0.5>>)

// -----

// expected-error @below {{expected valid keyword}}
func.func private @comma(tensor<16x8xf32, #sparsam.unstructured<density = 0.5,>>)
