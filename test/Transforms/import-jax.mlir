// A step as iree-compile leaves it: a linear layer between an embedding and an output
// that share their weights, with momentum, imported from JAX.
// RUN: sparsam-opt %S/Inputs/jax-step.mlir --allow-unregistered-dialect \
// RUN:   --sparsam-import --sparsam-find-parameters | FileCheck %s

// CHECK-NOT: util.
// CHECK-NOT: iree
// CHECK: func.func public @main(
// CHECK-SAME: %arg0: tensor<9x4xf32> {sparsam.name = "0/emb", sparsam.param = "emb", sparsam.updates = 0 : i64},
// CHECK-SAME: %arg1: tensor<4x4xf32> {sparsam.name = "0/w", sparsam.param = "w", sparsam.updates = 1 : i64},
// CHECK-SAME: %arg2: tensor<9x4xf32> {sparsam.name = "1/emb", sparsam.state_of = "emb", sparsam.updates = 2 : i64},
// CHECK-SAME: %arg3: tensor<4x4xf32> {sparsam.name = "1/w", sparsam.state_of = "w", sparsam.updates = 3 : i64},
// CHECK-SAME: %arg4: tensor<6xi32> {sparsam.name = "2"}, %arg5: tensor<6x9xf32> {sparsam.name = "3"})
// CHECK-SAME: -> (tensor<9x4xf32> {sparsam.name = "0/emb"},
// CHECK: sparsam.gradient %{{.*}} of "w" : tensor<4x4xf32>
// CHECK: %[[ROWS:.*]] = scf.for
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[ROWS]] : tensor<9x4xf32>, tensor<9x4xf32>)
// CHECK: sparsam.gradient %[[SUM]] of "emb" : tensor<9x4xf32>
// CHECK-NOT: util.
// CHECK-NOT: iree
