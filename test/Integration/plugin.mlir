// The stock mlir-opt knows the dialect, the structures and the passes by plugin.
// RUN: mlir-opt --load-dialect-plugin=%plugin --load-pass-plugin=%plugin %s \
// RUN:   --pass-pipeline='builtin.module(sparsam-propagate,canonicalize)' | FileCheck %s

// CHECK-LABEL: func.func @f
// CHECK-SAME: tensor<16x8xf32, #sparsam.nm<2:4>>
// CHECK-SAME: %[[VALUES:[a-z0-9]+]]: tensor<8x8x1xf32>
// CHECK-NEXT: return %[[VALUES]]
func.func @f(%w: tensor<16x8xf32, #sparsam.nm<2:4>>, %values: tensor<8x8x1xf32>,
             %indices: tensor<8x8xi16>) -> tensor<8x8x1xf32> {
  %dense = sparsam.densify %values, %indices {structure = #sparsam.nm<2:4>}
      : (tensor<8x8x1xf32>, tensor<8x8xi16>) -> tensor<16x8xf32>
  %again = sparsam.restrict %dense on %indices {structure = #sparsam.nm<2:4>}
      : (tensor<16x8xf32>, tensor<8x8xi16>) -> tensor<8x8x1xf32>
  return %again : tensor<8x8x1xf32>
}
