// RUN: sparsam-opt %s --canonicalize | FileCheck %s

// Rule 1 of the algebra: restrict(densify(v, i), i) = v.
// CHECK-LABEL: func.func @same_pattern
// CHECK-SAME: %[[VALUES:.*]]: tensor<8x8x1xf32>
// CHECK-NEXT: return %[[VALUES]]
func.func @same_pattern(%values: tensor<8x8x1xf32>, %indices: tensor<8x8xi16>) -> tensor<8x8x1xf32> {
  %w = sparsam.densify %values, %indices {structure = #sparsam.nm<2:4>}
      : (tensor<8x8x1xf32>, tensor<8x8xi16>) -> tensor<16x8xf32>
  %again = sparsam.restrict %w on %indices {structure = #sparsam.nm<2:4>}
      : (tensor<16x8xf32>, tensor<8x8xi16>) -> tensor<8x8x1xf32>
  return %again : tensor<8x8x1xf32>
}

// Another pattern, even of the same structure, is another SSA value.
// CHECK-LABEL: func.func @another_pattern
// CHECK: sparsam.densify
// CHECK: sparsam.restrict
func.func @another_pattern(%values: tensor<8x8x1xf32>, %indices: tensor<8x8xi16>,
                           %others: tensor<8x8xi16>) -> tensor<8x8x1xf32> {
  %w = sparsam.densify %values, %indices {structure = #sparsam.nm<2:4>}
      : (tensor<8x8x1xf32>, tensor<8x8xi16>) -> tensor<16x8xf32>
  %again = sparsam.restrict %w on %others {structure = #sparsam.nm<2:4>}
      : (tensor<16x8xf32>, tensor<8x8xi16>) -> tensor<8x8x1xf32>
  return %again : tensor<8x8x1xf32>
}
