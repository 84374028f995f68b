// RUN: sparsam-opt %s --sparsam-propagate --split-input-file --verify-diagnostics | FileCheck %s

// Rows of a product are the product of rows: the table is never made. The parameter is
// stored with its columns as inputs, as a head tied to the embedding has it.
// CHECK-LABEL: func @rows(
//  CHECK-SAME:     %[[T:.*]]: tensor<2x5xi32>, %[[U:.*]]: tensor<16x3xf32> {{{.*}}}, %[[V:.*]]: tensor<3x24xf32>
//   CHECK-NOT:   24x16xf32
//   CHECK-NOT:   16x24xf32
//       CHECK:   %[[ROWS:.*]] = linalg.generic {{.*}} ins(%[[T]] : tensor<2x5xi32>) outs(%{{.*}} : tensor<2x5x3xf32>)
//       CHECK:     tensor.extract %[[V]][%{{.*}}, %{{.*}}] : tensor<3x24xf32>
//       CHECK:   linalg.generic {{.*}} ins(%{{.*}}, %[[U]] : tensor<10x3xf32>, tensor<16x3xf32>)
//   CHECK-NOT:   24x16xf32
#batch = affine_map<(b, t, k) -> (b, t)>
#all = affine_map<(b, t, k) -> (b, t, k)>
func.func @rows(%tokens: tensor<2x5xi32>, %u: tensor<16x3xf32> {sparsam.param = "wte"},
                %v: tensor<3x24xf32> {sparsam.param = "wte"}) -> tensor<2x5x16xf32> {
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<3, in = [1]>}
      : (tensor<16x3xf32>, tensor<3x24xf32>) -> tensor<24x16xf32>
  %e = tensor.empty() : tensor<2x5x16xf32>
  %x = linalg.generic {indexing_maps = [#batch, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%tokens : tensor<2x5xi32>) outs(%e : tensor<2x5x16xf32>) {
  ^bb0(%token: i32, %o: f32):
    %row = arith.index_cast %token : i32 to index
    %column = linalg.index 2 : index
    %entry = tensor.extract %w[%row, %column] : tensor<24x16xf32>
    linalg.yield %entry : f32
  } -> tensor<2x5x16xf32>
  return %x : tensor<2x5x16xf32>
}

// -----

// The loops may come in another order.
// CHECK-LABEL: func @columns_first(
//   CHECK-NOT:   24x16xf32
//       CHECK:   tensor.extract %{{.*}} : tensor<24x3xf32>
//   CHECK-NOT:   24x16xf32
//       CHECK:   return %{{.*}} : tensor<16x5xf32>
func.func @columns_first(%tokens: tensor<5xi32>, %u: tensor<24x3xf32> {sparsam.param = "wte"},
                         %v: tensor<3x16xf32> {sparsam.param = "wte"}) -> tensor<16x5xf32> {
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<3>}
      : (tensor<24x3xf32>, tensor<3x16xf32>) -> tensor<24x16xf32>
  %e = tensor.empty() : tensor<16x5xf32>
  %x = linalg.generic {indexing_maps = [affine_map<(k, t) -> (t)>, affine_map<(k, t) -> (k, t)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%tokens : tensor<5xi32>) outs(%e : tensor<16x5xf32>) {
  ^bb0(%token: i32, %o: f32):
    %row = arith.index_cast %token : i32 to index
    %column = linalg.index 0 : index
    %entry = tensor.extract %w[%row, %column] : tensor<24x16xf32>
    linalg.yield %entry : f32
  } -> tensor<16x5xf32>
  return %x : tensor<16x5xf32>
}

// -----

// What depends on both places is no gather of rows.
func.func @both(%u: tensor<16x3xf32> {sparsam.param = "wte"},
                %v: tensor<3x16xf32> {sparsam.param = "wte"}) -> tensor<16xf32> {
  // expected-error @+1 {{parameter "wte" is a product of factors but is needed as a dense tensor: `tensor.extract` is no contraction}}
  %w = sparsam.densify %u, %v {structure = #sparsam.low_rank<3>}
      : (tensor<16x3xf32>, tensor<3x16xf32>) -> tensor<16x16xf32>
  %e = tensor.empty() : tensor<16xf32>
  %x = linalg.generic {indexing_maps = [affine_map<(k) -> (k)>], iterator_types = ["parallel"]}
      outs(%e : tensor<16xf32>) {
  ^bb0(%o: f32):
    %row = linalg.index 0 : index
    // expected-note @+1 {{used here}}
    %entry = tensor.extract %w[%row, %row] : tensor<16x16xf32>
    linalg.yield %entry : f32
  } -> tensor<16xf32>
  return %x : tensor<16xf32>
}
