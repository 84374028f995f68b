// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// Constraint 1.
// expected-error @below {{expected a block of at least 1x1, found 0x4}}
func.func private @no_inputs(tensor<16x8xf32, #sparsam.block<0x4, density = 0.5>>)

// -----

// expected-error @below {{expected a block of at least 1x1, found 4x0}}
func.func private @no_outputs(tensor<16x8xf32, #sparsam.block<4x0, density = 0.5>>)

// -----

// expected-error @below {{expected inputs x outputs of a block, as in 16x16, found 3 sizes}}
func.func private @three(tensor<16x8xf32, #sparsam.block<4x4x4, density = 0.5>>)

// -----

// expected-error @below {{expected `density`, the share of entries that are stored, as in `density = 0.25`}}
func.func private @no_density(tensor<16x8xf32, #sparsam.block<4x4>>)

// -----

// expected-error @below {{expected inputs x outputs of a block, as in 16x16, found 1 size}}
func.func private @one(tensor<16x8xf32, #sparsam.block<4, density = 0.5>>)

// -----

// Constraint 2.
// expected-error @below {{expected a density from 0 to 1, found 1.5}}
func.func private @dense(tensor<16x8xf32, #sparsam.block<4x4, density = 1.5>>)

// -----

// Constraint 3.
// expected-error @below {{#sparsam.block<4x4, density = 0.5> needs inputs that are a multiple of 4, found 18 (remainder 2)}}
func.func private @inputs(tensor<18x8xf32, #sparsam.block<4x4, density = 0.5>>)

// -----

// Constraint 4.
// expected-error @below {{#sparsam.block<4x8, density = 0.5> needs outputs that are a multiple of 8, found 12 (remainder 4)}}
func.func private @outputs(tensor<16x12xf32, #sparsam.block<4x8, density = 0.5>>)
