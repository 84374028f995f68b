// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// Constraint 1.
// expected-error @below {{expected two numbers of blocks, of inputs and of outputs, found 1}}
func.func private @one(tensor<16x8xf32, #sparsam.monarch<[4]>>)

// -----

// expected-error @below {{expected at least 1 block, found [0, 2]}}
func.func private @none(tensor<16x8xf32, #sparsam.monarch<[0, 2]>>)

// -----

// expected-error @below {{expected a rank of at least 1, found 0}}
func.func private @rank(tensor<16x8xf32, #sparsam.monarch<[4, 2], rank = 0>>)

// -----

// Constraint 2.
// expected-error @below {{#sparsam.monarch<[3, 2]> needs inputs that are a multiple of 3 blocks, found 16 (remainder 1)}}
func.func private @inputs(tensor<16x8xf32, #sparsam.monarch<[3, 2]>>)

// -----

// expected-error @below {{#sparsam.monarch<[4, 3]> needs outputs that are a multiple of 3 blocks, found 8 (remainder 2)}}
func.func private @outputs(tensor<16x8xf32, #sparsam.monarch<[4, 3]>>)

// -----

// Constraint 3.
// expected-error @below {{#sparsam.monarch<[4, 4], rank = 3> has a rank larger than its blocks: expected at most 2 for 4x2}}
func.func private @large(tensor<16x8xf32, #sparsam.monarch<[4, 4], rank = 3>>)
