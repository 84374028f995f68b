// RUN: sparsam-opt %s --sparsam-expand-storage --split-input-file | FileCheck %s
// RUN: sparsam-opt %s --sparsam-expand-storage=companions=false --split-input-file | FileCheck %s --check-prefix=ALONE
// RUN: sparsam-opt %s --sparsam-expand-storage --sparsam-propagate --split-input-file | FileCheck %s --check-prefix=STORED

// ALONE-NOT: @compress
// ALONE-NOT: @densify

// SGD with momentum, written by hand: `%w` is used both by its encoded type and
// through a cast, and arithmetic is on whole tensors.

// CHECK-LABEL: func.func @step
//  CHECK-SAME:  %[[V:.*]]: tensor<4x8x1xf32> {sparsam.param = "w", sparsam.part = "values", sparsam.structure = "nm<2:4>", sparsam.updates = 1 : i64}
//  CHECK-SAME:  %[[I:.*]]: tensor<4x8xi16> {sparsam.param = "w", sparsam.part = "indices", sparsam.structure = "nm<2:4>"}
//  CHECK-SAME:  %[[M:.*]]: tensor<4x8x1xf32> {sparsam.name = "m/w", sparsam.part = "values", sparsam.state_of = "w", sparsam.updates = 2 : i64}
//  CHECK-SAME:  %[[X:.*]]: tensor<8x16xf32>, %[[DY:.*]]: tensor<8x4xf32>)
//  CHECK-SAME:  -> (tensor<8x4xf32>, tensor<4x8x1xf32> {sparsam.part = "values"}, tensor<4x8x1xf32> {sparsam.name = "m/w", sparsam.part = "values"})
//   CHECK-DAG:   %[[WD:.*]] = sparsam.densify %[[V]], %[[I]]
//   CHECK-DAG:   %[[MD:.*]] = sparsam.densify %[[M]], %[[I]]
//       CHECK:   %[[Y:.*]] = linalg.matmul ins(%[[X]], %[[WD]] : tensor<8x16xf32>, tensor<16x4xf32>)
//       CHECK:   %[[RAW:.*]] = linalg.matmul
//       CHECK:   %[[GV:.*]] = sparsam.restrict %[[RAW]] on %[[I]]
//       CHECK:   %[[G:.*]] = sparsam.densify %[[GV]], %[[I]]
//       CHECK:   %[[M0:.*]] = linalg.generic {{.*}} ins(%[[MD]],
//       CHECK:   %[[M1:.*]] = linalg.generic {{.*}} ins(%[[M0]], %[[G]] :
//       CHECK:   %[[NM:.*]] = sparsam.restrict %[[M1]] on %[[I]]
//       CHECK:   %[[S:.*]] = linalg.generic {{.*}} ins(%[[M1]],
//       CHECK:   %[[W1:.*]] = linalg.generic {{.*}} ins(%[[WD]], %[[S]] :
//       CHECK:   %[[NW:.*]] = sparsam.restrict %[[W1]] on %[[I]]
//       CHECK:   return %[[Y]], %[[NW]], %[[NM]]

// CHECK-LABEL: func.func @compress(
//  CHECK-SAME:  %[[W:.*]]: tensor<16x4xf32> {sparsam.param = "w"}, %[[M:.*]]: tensor<16x4xf32> {sparsam.name = "m/w", sparsam.state_of = "w"})
//  CHECK-SAME:  -> (tensor<4x8x1xf32> {sparsam.param = "w", sparsam.part = "values"}, tensor<4x8xi16> {sparsam.param = "w", sparsam.part = "indices"}, tensor<4x8x1xf32> {sparsam.name = "m/w", sparsam.part = "values", sparsam.state_of = "w"})
//  CHECK-SAME:  attributes {sparsam.companion}
//       CHECK:   %[[I:.*]] = sparsam.select %[[W]]
//       CHECK:   %[[V:.*]] = sparsam.restrict %[[W]] on %[[I]]
//       CHECK:   %[[MV:.*]] = sparsam.restrict %[[M]] on %[[I]]
//       CHECK:   return %[[V]], %[[I]], %[[MV]]

// CHECK-LABEL: func.func @compress_on_pattern(
//  CHECK-SAME:  %[[W:.*]]: tensor<16x4xf32> {sparsam.param = "w"}, %[[M:.*]]: tensor<16x4xf32> {sparsam.name = "m/w", sparsam.state_of = "w"}, %[[I:.*]]: tensor<4x8xi16> {sparsam.param = "w", sparsam.part = "indices"})
//   CHECK-DAG:   %[[V:.*]] = sparsam.restrict %[[W]] on %[[I]]
//   CHECK-DAG:   %[[MV:.*]] = sparsam.restrict %[[M]] on %[[I]]
//       CHECK:   return %[[V]], %[[MV]]

// CHECK-LABEL: func.func @densify(
//  CHECK-SAME:  %[[V:.*]]: tensor<4x8x1xf32> {sparsam.param = "w", sparsam.part = "values"}, %[[I:.*]]: tensor<4x8xi16> {sparsam.param = "w", sparsam.part = "indices"}) -> (tensor<16x4xf32> {sparsam.param = "w"})
//       CHECK:   %[[W:.*]] = sparsam.densify %[[V]], %[[I]]
//       CHECK:   return %[[W]]

// The optimizer runs on what is stored.
// STORED-LABEL: func.func @step
//   STORED-NOT:   linalg.generic {{.*}}16x4
//        STORED:   linalg.generic {{.*}}4x8x1
//   STORED-NOT:   linalg.generic {{.*}}16x4
// STORED-LABEL: func.func @compress
func.func @step(%w: tensor<16x4xf32, #sparsam.nm<2:4>> {sparsam.param = "w", sparsam.updates = 1 : i64},
                %m: tensor<16x4xf32> {sparsam.name = "m/w", sparsam.state_of = "w", sparsam.updates = 2 : i64},
                %x: tensor<8x16xf32>, %dy: tensor<8x4xf32>)
    -> (tensor<8x4xf32>, tensor<16x4xf32, #sparsam.nm<2:4>>, tensor<16x4xf32> {sparsam.name = "m/w"}) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x4xf32, #sparsam.nm<2:4>>) outs(%f : tensor<8x4xf32>) -> tensor<8x4xf32>
  %e2 = tensor.empty() : tensor<16x4xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<16x4xf32>) -> tensor<16x4xf32>
  %raw = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %dy : tensor<8x16xf32>, tensor<8x4xf32>) outs(%f2 : tensor<16x4xf32>) -> tensor<16x4xf32>
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %mu = arith.constant dense<0.9> : tensor<16x4xf32>
  %lr = arith.constant dense<0.1> : tensor<16x4xf32>
  %m0 = arith.mulf %m, %mu : tensor<16x4xf32>
  %m1 = arith.addf %m0, %g : tensor<16x4xf32>
  %s = arith.mulf %m1, %lr : tensor<16x4xf32>
  %wd = tensor.cast %w : tensor<16x4xf32, #sparsam.nm<2:4>> to tensor<16x4xf32>
  %n = arith.subf %wd, %s : tensor<16x4xf32>
  %nd = tensor.cast %n : tensor<16x4xf32> to tensor<16x4xf32, #sparsam.nm<2:4>>
  return %y, %nd, %m1 : tensor<8x4xf32>, tensor<16x4xf32, #sparsam.nm<2:4>>, tensor<16x4xf32>
}

// -----

// A function that only reads its parameters: an evaluation. Elementwise work and
// constants may carry the encoding.

// CHECK-LABEL: func.func @evaluate
//  CHECK-SAME:  (%[[V:.*]]: tensor<4x8x1xf32> {{.*}}, %[[I:.*]]: tensor<4x8xi16> {{.*}}, %{{.*}}: tensor<8x16xf32>) -> tensor<16x4xf32>
//       CHECK:   %[[W:.*]] = sparsam.densify %[[V]], %[[I]]
//       CHECK:   %[[C:.*]] = arith.constant dense<1.000000e+00> : tensor<16x4xf32>
//       CHECK:   %[[S:.*]] = linalg.generic {{.*}} ins(%[[W]], %[[C]] : tensor<16x4xf32>, tensor<16x4xf32>)
//       CHECK:   return %[[S]] : tensor<16x4xf32>
// CHECK-LABEL: func.func @compress(
//  CHECK-SAME:  %{{.*}}: tensor<16x4xf32> {sparsam.param = "arg0"})
func.func @evaluate(%w: tensor<16x4xf32, #sparsam.nm<2:4>>, %x: tensor<8x16xf32>) -> tensor<16x4xf32> {
  %c = arith.constant dense<1.0> : tensor<16x4xf32, #sparsam.nm<2:4>>
  %s = arith.addf %w, %c : tensor<16x4xf32, #sparsam.nm<2:4>>
  %r = tensor.cast %s : tensor<16x4xf32, #sparsam.nm<2:4>> to tensor<16x4xf32>
  return %r : tensor<16x4xf32>
}

// -----

// Without structured arguments only the marks go.
// CHECK-LABEL: func.func @dense
//   CHECK-NOT:   sparsam.gradient
//       CHECK:   return %arg0
//   CHECK-NOT: @compress
func.func @dense(%w: tensor<16x4xf32> {sparsam.param = "w"}) -> tensor<16x4xf32> {
  %g = sparsam.gradient %w of "w" : tensor<16x4xf32>
  return %g : tensor<16x4xf32>
}

// -----

// Named operations count by what they compute, and mean the dense tensor by an encoded
// operand: exp(0) = 1 where nothing is stored.

// CHECK-LABEL: func.func @named
// STORED-LABEL: func.func @named
//       STORED:   %[[W:.*]] = sparsam.densify
//       STORED:   %[[N:.*]] = linalg.generic {{.*}}"reduction", "reduction", "reduction"
//   STORED-DAG:   %[[E:.*]] = linalg.exp ins(%[[W]] : tensor<16x4xf32>)
//   STORED-DAG:   linalg.generic {{.*}} ins(%{{.*}}, %arg0 : tensor<4x8x1xf32>, tensor<4x8x1xf32>)
//       STORED:   return %{{.*}}, %[[N]], %[[E]] : tensor<4x8x1xf32>, tensor<f32>, tensor<16x4xf32>
func.func @named(%w: tensor<16x4xf32, #sparsam.nm<2:4>> {sparsam.param = "w", sparsam.updates = 0 : i64},
    %raw: tensor<16x4xf32>, %init: tensor<f32>) -> (tensor<16x4xf32, #sparsam.nm<2:4>>, tensor<f32>, tensor<16x4xf32>) {
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %e = tensor.empty() : tensor<16x4xf32>
  %ee = tensor.empty() : tensor<16x4xf32, #sparsam.nm<2:4>>
  %sq = linalg.square ins(%g : tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %n = linalg.reduce ins(%sq : tensor<16x4xf32>) outs(%init : tensor<f32>) dimensions = [0, 1] (%in: f32, %acc: f32) {
    %0 = arith.addf %in, %acc : f32
    linalg.yield %0 : f32
  }
  %b = linalg.broadcast ins(%n : tensor<f32>) outs(%e : tensor<16x4xf32>) dimensions = [0, 1]
  %d = linalg.div ins(%g, %b : tensor<16x4xf32>, tensor<16x4xf32>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %m = linalg.map ins(%d, %w : tensor<16x4xf32>, tensor<16x4xf32, #sparsam.nm<2:4>>) outs(%e : tensor<16x4xf32>) (%p: f32, %q: f32, %out: f32) {
    %0 = arith.subf %q, %p : f32
    linalg.yield %0 : f32
  }
  %ex = linalg.exp ins(%w : tensor<16x4xf32, #sparsam.nm<2:4>>) outs(%e : tensor<16x4xf32>) -> tensor<16x4xf32>
  %s = linalg.sub ins(%m, %m : tensor<16x4xf32>, tensor<16x4xf32>) outs(%ee : tensor<16x4xf32, #sparsam.nm<2:4>>) -> tensor<16x4xf32, #sparsam.nm<2:4>>
  return %s, %n, %ex : tensor<16x4xf32, #sparsam.nm<2:4>>, tensor<f32>, tensor<16x4xf32>
}
