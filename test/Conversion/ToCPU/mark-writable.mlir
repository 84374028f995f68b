// RUN: sparsam-opt %s --sparsam-mark-writable | FileCheck %s

// CHECK-LABEL: func.func @step(
// CHECK-SAME:    %{{.*}}: tensor<4xf32> {bufferization.writable = true, sparsam.updates = 0 : i64},
// CHECK-SAME:    %{{.*}}: tensor<4xf32> {bufferization.writable = false}, %{{.*}}: index)
func.func @step(%w: tensor<4xf32> {sparsam.updates = 0 : i64}, %x: tensor<4xf32>, %i: index)
    -> tensor<4xf32> {
  return %w : tensor<4xf32>
}

// A private function's arguments are its callers' to judge.
// CHECK-LABEL: func.func private @helper(
// CHECK-NOT:     bufferization.writable
// CHECK:         return
func.func private @helper(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
