// RUN: sparsam-opt %s -split-input-file --allow-unregistered-dialect --sparsam-import | FileCheck %s
// RUN: sparsam-opt %s -split-input-file --allow-unregistered-dialect --sparsam-import \
// RUN:   | sparsam-opt -split-input-file --sparsam-import | FileCheck %s
// The loops of a scatter run in place: no buffer is made and nothing is copied but the
// row that is added.
// RUN: sparsam-opt %s -split-input-file --allow-unregistered-dialect --sparsam-import -cse \
// RUN:   --empty-tensor-to-alloc-tensor \
// RUN:   --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" \
// RUN:   -cse -canonicalize | FileCheck %s --check-prefix=INPLACE

// The wrapper becomes a function; its name, visibility and our attributes stay, the hints
// on buffers and the barrier go.

// CHECK: module @jit_step {
// CHECK-LABEL: func.func public @main(
// CHECK-SAME: %[[W:.*]]: tensor<4xf32> {sparsam.name = "0/w", sparsam.updates = 0 : i64},
// CHECK-SAME: %{{.*}}: tensor<f32>) -> (tensor<4xf32> {sparsam.name = "0"}) {
// CHECK-NEXT: return %[[W]]
"builtin.module"() <{sym_name = "jit_step"}> ({
  "util.func"() <{arg_attrs = [{iree.abi.output = 0 : index, sparsam.name = "0/w", sparsam.updates = 0 : i64}, {}], res_attrs = [{sparsam.name = "0"}], function_type = (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>, sym_name = "main", sym_visibility = "public", tied_operands = [-1 : index]}> ({
  ^bb0(%w: tensor<4xf32>, %x: tensor<f32>):
    %0:2 = "util.optimization_barrier"(%w, %x) : (tensor<4xf32>, tensor<f32>) -> (tensor<4xf32>, tensor<f32>)
    "util.return"(%0#0) : (tensor<4xf32>) -> ()
  }) {iree.abi.stub} : () -> ()
}) {hal.device.targets = []} : () -> ()

// -----

// Private functions are inlined.

// CHECK-LABEL: func.func public @caller
// CHECK: %[[SUM:.*]] = arith.addf
// CHECK: return %[[SUM]]
// CHECK-NOT: @callee
"builtin.module"() ({
  "util.func"() <{function_type = (f32) -> f32, sym_name = "caller", sym_visibility = "public"}> ({
  ^bb0(%x: f32):
    %0 = "util.call"(%x) <{callee = @callee}> : (f32) -> f32
    "util.return"(%0) : (f32) -> ()
  }) : () -> ()
  "util.func"() <{function_type = (f32) -> f32, sym_name = "callee", sym_visibility = "private"}> ({
  ^bb0(%x: f32):
    %0 = "arith.addf"(%x, %x) : (f32, f32) -> f32
    "util.return"(%0) : (f32) -> ()
  }) : () -> ()
}) : () -> ()

// -----

// Rows: the gradient of an embedding.

// CHECK-LABEL: func.func @rows(
// CHECK-SAME: %[[U:.*]]: tensor<4x8xf32>, %[[I:.*]]: tensor<4x1xi32>, %[[W:.*]]: tensor<96x8xf32>
// CHECK: %[[R:.*]] = scf.for %[[B:.*]] = %{{.*}} iter_args(%[[D:.*]] = %[[W]]) -> (tensor<96x8xf32>) {
// CHECK: %[[READ:.*]] = tensor.extract %[[I]][%[[B]], %{{.*}}]
// CHECK: %[[ROW:.*]] = arith.index_cast %[[READ]] : i32 to index
// CHECK: %[[FITS:.*]] = arith.cmpi ult, %[[ROW]]
// CHECK: scf.if %[[FITS]]
// CHECK: %[[NEW:.*]] = tensor.extract_slice %[[U]][%[[B]], 0] [1, 8] [1, 1] : tensor<4x8xf32> to tensor<8xf32>
// CHECK: %[[OLD:.*]] = tensor.extract_slice %[[D]][%[[ROW]], 0] [1, 8] [1, 1] : tensor<96x8xf32> to tensor<8xf32>
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[NEW]] : tensor<8xf32>) outs(%[[OLD]] : tensor<8xf32>)
// CHECK: ^bb0(%[[NEWEL:.*]]: f32, %[[OLDEL:.*]]: f32):
// CHECK: arith.addf %[[OLDEL]], %[[NEWEL]]
// CHECK: tensor.insert_slice %[[SUM]] into %[[D]][%[[ROW]], 0] [1, 8] [1, 1]
// CHECK: } else {
// CHECK: scf.yield %[[D]]
// CHECK: return %[[R]]

// INPLACE-LABEL: func.func @rows
// INPLACE-SAME: %[[W:[a-z0-9]*]]: memref<96x8xf32>) -> memref<96x8xf32> {
// INPLACE-NOT: memref.alloc
// INPLACE-NOT: memref.copy
// INPLACE: linalg.generic
// INPLACE-NOT: memref.alloc
// INPLACE-NOT: memref.copy
// INPLACE: return %[[W]]
func.func @rows(%u: tensor<4x8xf32>, %i: tensor<4x1xi32>, %w: tensor<96x8xf32> {bufferization.writable = true}) -> tensor<96x8xf32> {
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) <{dimension_map = array<i64: 0>, unique_indices = false}> ({
  ^bb0(%new: f32, %old: f32):
    %s = "arith.addf"(%old, %new) : (f32, f32) -> f32
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<4x8xf32>, tensor<4x1xi32>, tensor<96x8xf32>) -> tensor<96x8xf32>
  return %0 : tensor<96x8xf32>
}

// -----

// Scalars into a constant: the gradient of a cross entropy. The dimension map says which
// component of a position is which dimension; the constant becomes a fill.

// CHECK-LABEL: func.func @scalars(
// CHECK-SAME: %[[U:.*]]: tensor<5xf32>, %[[I:.*]]: tensor<5x2xi64>
// CHECK: %[[ZERO:.*]] = linalg.fill
// CHECK: scf.for %[[B:.*]] = %{{.*}} iter_args(%[[D:.*]] = %[[ZERO]])
// CHECK: %[[FIRST:.*]] = arith.index_cast
// CHECK: %[[SECOND:.*]] = arith.index_cast
// CHECK: %[[OLD:.*]] = tensor.extract %[[D]][%[[SECOND]], %[[FIRST]]]
// CHECK: tensor.insert %{{.*}} into %[[D]][%[[SECOND]], %[[FIRST]]]

// INPLACE-LABEL: func.func @scalars
// INPLACE: memref.alloc
// INPLACE-NOT: memref.alloc
// INPLACE-NOT: memref.copy
// INPLACE: return
func.func @scalars(%u: tensor<5xf32>, %i: tensor<5x2xi64>) -> tensor<16x96xf32> {
  %zero = arith.constant dense<0.0> : tensor<16x96xf32>
  %0 = "iree_linalg_ext.scatter"(%u, %i, %zero) <{dimension_map = array<i64: 1, 0>, unique_indices = false}> ({
  ^bb0(%new: f32, %old: f32):
    %s = "arith.addf"(%old, %new) : (f32, f32) -> f32
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<5xf32>, tensor<5x2xi64>, tensor<16x96xf32>) -> tensor<16x96xf32>
  return %0 : tensor<16x96xf32>
}

// -----

// Two batch dimensions, an index without a component dimension, slices smaller than those
// of the original, and an update that replaces.

// CHECK-LABEL: func.func @batches(
// CHECK-SAME: %[[U:.*]]: tensor<2x3x4xf32>, %[[I:.*]]: tensor<2x3xi32>, %[[W:.*]]: tensor<10x6xf32>
// CHECK: scf.for %[[A:.*]] = %{{.*}} iter_args(%[[D0:.*]] = %[[W]])
// CHECK: scf.for %[[B:.*]] = %{{.*}} iter_args(%[[D:.*]] = %[[D0]])
// CHECK: tensor.extract %[[I]][%[[A]], %[[B]]]
// CHECK: tensor.extract_slice %[[U]][%[[A]], %[[B]], 0] [1, 1, 4] [1, 1, 1]
// CHECK: linalg.yield %in : f32
// CHECK: tensor.insert_slice %{{.*}} into %[[D]][%{{.*}}, 0] [1, 4] [1, 1]
func.func @batches(%u: tensor<2x3x4xf32>, %i: tensor<2x3xi32>, %w: tensor<10x6xf32>) -> tensor<10x6xf32> {
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) <{dimension_map = array<i64: 0>, unique_indices = true}> ({
  ^bb0(%new: f32, %old: f32):
    "iree_linalg_ext.yield"(%new) : (f32) -> ()
  }) : (tensor<2x3x4xf32>, tensor<2x3xi32>, tensor<10x6xf32>) -> tensor<10x6xf32>
  return %0 : tensor<10x6xf32>
}

// -----

// A running sum over the rows: the loop carries the result and the last row of it, from
// the first row on, and makes no other buffer.

// CHECK-LABEL: func.func @running_sum(
// CHECK-SAME: %[[X:[^:]*]]: tensor<7x5xf32>
// CHECK: %[[FIRST:.*]] = tensor.extract_slice %[[X]][%{{.*}}, 0] [1, 5] [1, 1]
// CHECK: %[[INIT:.*]] = tensor.insert_slice %[[FIRST]] into %{{.*}}[%{{.*}}, 0] [1, 5] [1, 1]
// CHECK: %[[R:.*]]:2 = scf.for %[[I:.*]] = %c1{{.*}} to %c7{{.*}} iter_args(%[[D:.*]] = %[[INIT]], %[[SUM:.*]] = %[[FIRST]])
// CHECK: %[[ROW:.*]] = tensor.extract_slice %[[X]][%[[I]], 0] [1, 5] [1, 1]
// CHECK: %[[NEXT:.*]] = linalg.generic {{.*}} ins(%[[ROW]] : tensor<1x5xf32>) outs(%[[SUM]] : tensor<1x5xf32>)
// CHECK: ^bb0(%[[EL:.*]]: f32, %[[OLD:.*]]: f32):
// CHECK: arith.subf %[[OLD]], %[[EL]]
// CHECK: %[[NEXTD:.*]] = tensor.insert_slice %[[NEXT]] into %[[D]][%[[I]], 0] [1, 5] [1, 1]
// CHECK: scf.yield %[[NEXTD]], %[[NEXT]]
// CHECK: %[[LAST:.*]] = tensor.extract_slice %[[R]]#1[0, 0] [1, 5] [1, 1] : tensor<1x5xf32> to tensor<5xf32>
// CHECK: return %[[R]]#0, %[[LAST]]

// INPLACE-LABEL: func.func @running_sum
// INPLACE-COUNT-2: memref.alloc
// INPLACE-NOT: memref.alloc
// INPLACE: return
func.func @running_sum(%x: tensor<7x5xf32>, %o: tensor<7x5xf32>, %a: tensor<5xf32>) -> (tensor<7x5xf32>, tensor<5xf32>) {
  %0:2 = "iree_linalg_ext.scan"(%x, %o, %a) <{dimension = 0 : i64, inclusive = true}> ({
  ^bb0(%sum: f32, %element: f32):
    %s = "arith.subf"(%sum, %element) : (f32, f32) -> f32
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<7x5xf32>, tensor<7x5xf32>, tensor<5xf32>) -> (tensor<7x5xf32>, tensor<5xf32>)
  return %0#0, %0#1 : tensor<7x5xf32>, tensor<5xf32>
}

// -----

// CHECK-LABEL: func.func @running_sum_of_nothing(
// CHECK-NOT: scf.for
// CHECK: tensor.empty() : tensor<0x5xf32>
func.func @running_sum_of_nothing(%x: tensor<0x5xf32>, %o: tensor<0x5xf32>, %a: tensor<5xf32>) -> tensor<0x5xf32> {
  %0:2 = "iree_linalg_ext.scan"(%x, %o, %a) <{dimension = 0 : i64, inclusive = true}> ({
  ^bb0(%sum: f32, %element: f32):
    %s = "arith.addf"(%sum, %element) : (f32, f32) -> f32
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<0x5xf32>, tensor<0x5xf32>, tensor<5xf32>) -> (tensor<0x5xf32>, tensor<5xf32>)
  return %0#0 : tensor<0x5xf32>
}
