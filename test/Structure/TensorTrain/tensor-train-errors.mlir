// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// Constraint 1.
// expected-error @below {{expected as many input as output pieces, from 2 to 8, found 2 and 1}}
func.func private @pieces(tensor<16x8xf32, #sparsam.tensor_train<[4, 4], [8], ranks = [2]>>)

// -----

// expected-error @below {{expected as many input as output pieces, from 2 to 8, found 1 and 1}}
func.func private @one(tensor<16x8xf32, #sparsam.tensor_train<[16], [8], ranks = [2]>>)

// -----

// Constraint 2.
// expected-error @below {{expected 1 ranks between 2 cores, found 2}}
func.func private @ranks(tensor<16x8xf32, #sparsam.tensor_train<[4, 4], [2, 4], ranks = [2, 2]>>)

// -----

// expected-error @below {{expected pieces and ranks of at least 1, found 0}}
func.func private @zero(tensor<16x8xf32, #sparsam.tensor_train<[4, 4], [2, 4], ranks = [0]>>)

// -----

// Constraint 3.
// expected-error @below {{has input pieces of product 12, expected 16}}
func.func private @inputs(tensor<16x8xf32, #sparsam.tensor_train<[4, 3], [2, 4], ranks = [2]>>)

// -----

// The product is 16 in 64 bits.
// expected-error @below {{has input pieces of product 18446744073709551615, expected 16}}
func.func private @large(tensor<16x8xf32, #sparsam.tensor_train<[1152921504606846977, 16], [4, 2], ranks = [2]>>)

// -----

// expected-error @below {{has output pieces of product 6, expected 8}}
func.func private @outputs(tensor<16x8xf32, #sparsam.tensor_train<[4, 4], [2, 3], ranks = [2]>>)

// -----

// Constraint 4.
// expected-error @below {{has rank 9 behind core 0, expected at most 8, the product of the pieces on one side}}
func.func private @large(tensor<16x8xf32, #sparsam.tensor_train<[4, 4], [2, 4], ranks = [9]>>)
