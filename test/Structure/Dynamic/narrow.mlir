// RUN: sparsam-opt %s -sparsam-expand-storage=companions=false -sparsam-propagate -verify-diagnostics -split-input-file

// Whatever the element type: the reason is that the pattern is new in every step.
!w = tensor<16x4xf32, #sparsam.dynamic<nm<2:4>>>
// expected-remark @+1 {{a tensor on the pattern of parameter "w" is read from a dense tensor: the pattern is selected from it here}}
func.func @single(%x: tensor<8x16xf32>, %w: !w {sparsam.param = "w"}) -> tensor<8x4xf32> {
  %d = tensor.cast %w : !w to tensor<16x4xf32>
  %y = sparsam.einsum "tk,kn->tn"(%x, %d) : (tensor<8x16xf32>, tensor<16x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

!w = tensor<16x4xbf16, #sparsam.dynamic<nm<2:4>>>
// expected-remark @+1 {{a tensor on the pattern of parameter "w" is read from a dense tensor: the pattern is selected from it here}}
func.func @half(%x: tensor<8x16xbf16>, %w: !w {sparsam.param = "w"}) -> tensor<8x4xbf16> {
  %d = tensor.cast %w : !w to tensor<16x4xbf16>
  %y = sparsam.einsum "tk,kn->tn"(%x, %d) : (tensor<8x16xbf16>, tensor<16x4xbf16>) -> tensor<8x4xbf16>
  return %y : tensor<8x4xbf16>
}
