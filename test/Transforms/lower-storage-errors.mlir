// RUN: sparsam-opt %s -sparsam-lower-storage -split-input-file -verify-diagnostics

func.func @dynamic(%v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>) -> tensor<?x4xf32> {
  // expected-error @below {{needs a static shape}}
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>}
      : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<?x4xf32>
  return %w : tensor<?x4xf32>
}

// -----

func.func @no_pattern(%w: tensor<16x4xf32>, %u: tensor<16x2xf32>) -> tensor<2x4xf32> {
  // expected-error @below {{pattern structure}}
  %v = sparsam.restrict %w on %u {structure = #sparsam.low_rank<2>}
      : (tensor<16x4xf32>, tensor<16x2xf32>) -> tensor<2x4xf32>
  return %v : tensor<2x4xf32>
}
