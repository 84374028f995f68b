// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// Constraint 1.
// expected-error @below {{expected N from 1 to 4, found 0}}
func.func private @no_n(tensor<16x8xf32, #sparsam.vnm<4, 0:8>>)

// -----

// expected-error @below {{expected N from 1 to 4, found 5}}
func.func private @n(tensor<16x8xf32, #sparsam.vnm<4, 5:8>>)

// -----

// Constraint 2.
// expected-error @below {{expected M of at least 4, found 3}}
func.func private @m(tensor<18x8xf32, #sparsam.vnm<4, 2:3>>)

// -----

// Constraint 3.
// expected-error @below {{expected V of at least 1, found 0}}
func.func private @v(tensor<16x8xf32, #sparsam.vnm<0, 2:8>>)

// -----

// Constraint 4.
// expected-error @below {{#sparsam.vnm<4, 2:8> needs inputs that are a multiple of M = 8, found 18 (remainder 2)}}
func.func private @inputs(tensor<18x8xf32, #sparsam.vnm<4, 2:8>>)

// -----

// Constraint 5.
// expected-error @below {{#sparsam.vnm<8, 2:8> needs outputs that are a multiple of V = 8, found 12 (remainder 4)}}
func.func private @outputs(tensor<16x12xf32, #sparsam.vnm<8, 2:8>>)
