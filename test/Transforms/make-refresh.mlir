// RUN: sparsam-opt %s --sparsam-make-refresh | FileCheck %s
// RUN: sparsam-opt %s --sparsam-make-refresh --sparsam-to-cpu | FileCheck %s --check-prefix=CPU

// State of another element type keeps it. What has factors has no pattern that could move.

// CHECK-LABEL: func.func @select(
//  CHECK-SAME:  %[[SW:.*]]: tensor<16x4xf64> {sparsam.name = "0/w", sparsam.param = "w"}, %[[SB:.*]]: tensor<8x8xf64> {sparsam.param = "b"})
//  CHECK-SAME:  -> (tensor<4x8xi16> {sparsam.name = "0/w", sparsam.param = "w", sparsam.part = "indices"}, tensor<9xi32> {sparsam.param = "b", sparsam.part = "positions"}, tensor<16xi16> {sparsam.param = "b", sparsam.part = "indices"})
//  CHECK-SAME:  attributes {sparsam.companion}
//       CHECK:   %[[I:.*]] = sparsam.select %[[SW]]
//       CHECK:   %[[PB:.*]]:2 = sparsam.select %[[SB]]
//       CHECK:   return %[[I]], %[[PB]]#0, %[[PB]]#1

// CHECK-LABEL: func.func @restrict(
//  CHECK-SAME:  %[[W:.*]]: tensor<16x4xf32> {{.*}}, %[[B:.*]]: tensor<8x8xf32> {{.*}}, %[[M:.*]]: tensor<16x4xf64> {sparsam.name = "m/w", sparsam.state_of = "w"}, %[[I:.*]]: tensor<4x8xi16> {{.*}}, %[[P:.*]]: tensor<9xi32> {{.*}}, %[[J:.*]]: tensor<16xi16> {sparsam.param = "b", sparsam.part = "indices"})
//  CHECK-SAME:  -> (tensor<4x8x1xf32> {{.*}}, tensor<16xf32> {{.*}}, tensor<4x8x1xf64> {sparsam.name = "m/w", sparsam.part = "values", sparsam.state_of = "w"})
//   CHECK-DAG:   %[[WV:.*]] = sparsam.restrict %[[W]] on %[[I]]
//   CHECK-DAG:   %[[BV:.*]] = sparsam.restrict %[[B]] on %[[P]], %[[J]]
//   CHECK-DAG:   %[[MV:.*]] = sparsam.restrict %[[M]] on %[[I]]
//       CHECK:   return %[[WV]], %[[BV]], %[[MV]]

// CHECK-LABEL: func.func @densify(
//  CHECK-SAME:  %[[WV:.*]]: tensor<4x8x1xf32> {{.*}}, %[[BV:.*]]: tensor<16xf32> {{.*}}, %[[MV:.*]]: tensor<4x8x1xf64> {{.*}}, %[[I:.*]]: tensor<4x8xi16> {{.*}}, %[[P:.*]]: tensor<9xi32> {{.*}}, %[[J:.*]]: tensor<16xi16> {sparsam.param = "b", sparsam.part = "indices"})
//   CHECK-DAG:   %[[W:.*]] = sparsam.densify %[[WV]], %[[I]]
//   CHECK-DAG:   %[[B:.*]] = sparsam.densify %[[BV]], %[[P]], %[[J]]
//   CHECK-DAG:   %[[M:.*]] = sparsam.densify %[[MV]], %[[I]]
//       CHECK:   return %[[W]], %[[B]], %[[M]]
//   CHECK-NOT: func.func @step

// CPU-LABEL: func.func @select
// CPU-LABEL: func.func @restrict
// CPU-LABEL: func.func @densify
func.func @step(%w: tensor<16x4xf32, #sparsam.nm<2:4>> {sparsam.name = "0/w", sparsam.param = "w", sparsam.updates = 0 : i64},
                %f: tensor<8x8xf32, #sparsam.low_rank<2>> {sparsam.param = "f"},
                %b: tensor<8x8xf32, #sparsam.unstructured<density = 0.25>> {sparsam.param = "b"},
                %m: tensor<16x4xf64> {sparsam.name = "m/w", sparsam.state_of = "w", sparsam.updates = 1 : i64})
    -> (tensor<16x4xf32, #sparsam.nm<2:4>>, tensor<16x4xf64>) {
  return %w, %m : tensor<16x4xf32, #sparsam.nm<2:4>>, tensor<16x4xf64>
}
