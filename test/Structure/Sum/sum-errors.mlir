// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// Constraint 1.
// expected-error @below {{the first structure must be a factor structure, found #sparsam.nm<2:4>}}
func.func private @patterns(tensor<16x8xf32, #sparsam.sum<nm<2:4>, nm<1:4>>>)

// -----

// Constraint 2.
// expected-error @below {{the second structure must be a pattern structure, found #sparsam.low_rank<2>}}
func.func private @factors(tensor<16x8xf32, #sparsam.sum<low_rank<2>, low_rank<2>>>)

// -----

// Constraint 3.
// expected-error @below {{the first structure must be in the default view, found #sparsam.low_rank<2, in = [1]>; the view is the sum's}}
func.func private @view(tensor<16x8xf32, #sparsam.sum<low_rank<2, in = [1]>, nm<2:4>>>)

// -----

// expected-error @below {{the second structure must be in the default view, found #sparsam.nm<2:4, in = [1]>}}
func.func private @pattern_view(tensor<16x8xf32, #sparsam.sum<low_rank<2>, nm<2:4, in = [1]>>>)

// -----

// Constraint 4.
// expected-error @below {{#sparsam.nm<2:5> needs inputs that are a multiple of M = 5, found 16 (remainder 1)}}
func.func private @pattern_fits(tensor<16x8xf32, #sparsam.sum<low_rank<2>, nm<2:5>>>)

// -----

// expected-error @below {{#sparsam.low_rank<9> has a rank larger than the shape: expected at most 8 for 16x8}}
func.func private @factors_fit(tensor<16x8xf32, #sparsam.sum<low_rank<9>, nm<2:4>>>)

// -----

// Constraint 5.
// expected-error @below {{has two tensors named values}}
func.func private @names(tensor<16x8xf32, #sparsam.sum<sum<low_rank<2>, nm<2:4>>, nm<1:4>>>)

// -----

// What is inside is parsed like any structure.
// expected-error @+2 {{unknown structure `nn`, expected one of}}
// expected-error @+1 {{failed to parse Sparsam_Sum parameter 'pattern'}}
func.func private @unknown(tensor<16x8xf32, #sparsam.sum<low_rank<2>, nn<2:4>>>)

// -----

// expected-error @+2 {{expected a structure, found 3 : i64}}
// expected-error @+1 {{failed to parse Sparsam_Sum parameter 'pattern'}}
func.func private @number(tensor<16x8xf32, #sparsam.sum<low_rank<2>, 3>>)
