// RUN: sparsam-opt %s --sparsam-make-refresh --split-input-file --verify-diagnostics

// expected-error@+1 {{has no structured parameter that could move; sparsam-apply-structure gives one}}
module {
  func.func @dense(%w: tensor<4x4xf32> {sparsam.param = "w"}) -> tensor<4x4xf32> {
    return %w : tensor<4x4xf32>
  }
}

// -----

#nm = #sparsam.nm<2:4>

// expected-error@+1 {{two structured parameters are both named w}}
func.func @same_name(%a: tensor<16x4xf32, #nm> {sparsam.param = "w"}, %b: tensor<16x4xf32, #nm> {sparsam.param = "w"}) {
  return
}
