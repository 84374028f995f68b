// RUN: sparsam-opt %s --sparsam-propagate --split-input-file --verify-diagnostics

// Of a filter with one input channel a group, a pattern has nothing to multiply by.
#x = affine_map<(n, i, g, o, k) -> (n, i + k, g)>
#w = affine_map<(n, i, g, o, k) -> (k, g, o)>
#y = affine_map<(n, i, g, o, k) -> (n, i, g, o)>
func.func @depthwise(%x: tensor<2x11x3xf32>, %v: tensor<6x2x1xf32> {sparsam.param = "w"},
                     %i: tensor<6x2xi16>) -> tensor<2x8x3x2xf32> {
  // expected-remark @+1 {{parameter "w" of #sparsam.nm<2:4> is made dense: a convolution contracts neither all inputs nor all outputs of the view}}
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4>}
      : (tensor<6x2x1xf32>, tensor<6x2xi16>) -> tensor<4x3x2xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x8x3x2xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x8x3x2xf32>) -> tensor<2x8x3x2xf32>
  // expected-note @+1 {{used here}}
  %r = linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x11x3xf32>, tensor<4x3x2xf32>) outs(%z : tensor<2x8x3x2xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x8x3x2xf32>
  return %r : tensor<2x8x3x2xf32>
}

// -----

// The view's inputs are the channels alone.
func.func @other_view(%x: tensor<2x10x4xf32>, %v: tensor<18x2x1xf32> {sparsam.param = "w"},
                      %i: tensor<18x2xi16>) -> tensor<2x8x6xf32> {
  // expected-remark @+1 {{a convolution contracts neither all inputs nor all outputs of the view}}
  %w = sparsam.densify %v, %i {structure = #sparsam.nm<2:4, in = [1]>}
      : (tensor<18x2x1xf32>, tensor<18x2xi16>) -> tensor<3x4x6xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x8x6xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x8x6xf32>) -> tensor<2x8x6xf32>
  // expected-note @+1 {{used here}}
  %y = linalg.conv_1d_nwc_wcf {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%x, %w : tensor<2x10x4xf32>, tensor<3x4x6xf32>)
      outs(%z : tensor<2x8x6xf32>) -> tensor<2x8x6xf32>
  return %y : tensor<2x8x6xf32>
}

// -----

// A largest element of each window is no sum of products.
func.func @pooled_filter(%u: tensor<12x2xf32> {sparsam.param = "w"}, %v: tensor<2x6xf32>,
                         %window: tensor<2xf32>) -> tensor<3x3x6xf32> {
  // expected-error @+1 {{parameter "w" is a product of factors but is needed as a dense tensor: `linalg.pooling_nwc_max` is no contraction; leave this parameter dense}}
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<2, in = [0, 1]>}
      : (tensor<12x2xf32>, tensor<2x6xf32>) -> tensor<3x4x6xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x3x6xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<3x3x6xf32>) -> tensor<3x3x6xf32>
  // expected-note @+1 {{used here}}
  %y = linalg.pooling_nwc_max {dilations = dense<1> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%w, %window : tensor<3x4x6xf32>, tensor<2xf32>)
      outs(%z : tensor<3x3x6xf32>) -> tensor<3x3x6xf32>
  return %y : tensor<3x3x6xf32>
}
