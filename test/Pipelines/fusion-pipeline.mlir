// RUN: sparsam-opt %s --sparsam-fusion-pipeline | FileCheck %s
// RUN: sparsam-opt %s --sparsam-fusion-pipeline -dump-pass-pipeline -o /dev/null 2> %t.pipeline
// RUN: sparsam-opt %s --sparsam-fusion-pipeline -o %t.named
// RUN: sed -e 1d %t.pipeline | tr -d '\n' > %t.args
// RUN: bash -c 'sparsam-opt %s --pass-pipeline="$(cat %t.args)" -o %t.parsed'
// RUN: diff %t.named %t.parsed

// One step of y = tanh(x W), W -= dW, the way an importer writes it: three products'
// worth of transposes and reshapes become two products and one pass of elementwise work
// around each.

// CHECK-LABEL: func.func @step(
// CHECK-SAME: %[[W:[^:]*]]: tensor<16x8xf32>
// CHECK: linalg.generic {{.*}}"reduction"{{.*}} attrs = {sparsam.overwrite}
// CHECK: %[[T:.*]] = linalg.generic
// CHECK: math.tanh
// CHECK: linalg.generic {{.*}}"reduction"{{.*}} attrs = {sparsam.overwrite}
// CHECK: linalg.generic {{.*}} ins(%{{[0-9]*}} : tensor<16x8xf32>) outs(%[[W]] : tensor<16x8xf32>)
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: arith.subf
// CHECK-NOT: linalg.generic
// CHECK: return
#id2 = affine_map<(d0, d1) -> (d0, d1)>
#t2 = affine_map<(d0, d1) -> (d1, d0)>
#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
func.func @step(%w: tensor<16x8xf32> {sparsam.updates = 0 : i64}, %x: tensor<2x4x16xf32>)
    -> (tensor<16x8xf32>, tensor<2x4x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %rate = arith.constant dense<0.1> : tensor<16x8xf32>
  %flat = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x4x16xf32> into tensor<8x16xf32>
  %0 = tensor.empty() : tensor<8x8xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<8x8xf32>) -> tensor<8x8xf32>
  %2 = linalg.matmul ins(%flat, %w : tensor<8x16xf32>, tensor<16x8xf32>)
      outs(%1 : tensor<8x8xf32>) -> tensor<8x8xf32>
  %3 = tensor.expand_shape %2 [[0, 1], [2]] output_shape [2, 4, 8]
      : tensor<8x8xf32> into tensor<2x4x8xf32>
  %4 = tensor.empty() : tensor<2x4x8xf32>
  %y = linalg.generic {indexing_maps = [#id3, #id3],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%3 : tensor<2x4x8xf32>) outs(%4 : tensor<2x4x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %b = math.tanh %a : f32
    linalg.yield %b : f32
  } -> tensor<2x4x8xf32>
  %5 = tensor.collapse_shape %y [[0, 1], [2]] : tensor<2x4x8xf32> into tensor<8x8xf32>
  %6 = tensor.empty() : tensor<8x8xf32>
  %7 = linalg.generic {indexing_maps = [#t2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%5 : tensor<8x8xf32>) outs(%6 : tensor<8x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  } -> tensor<8x8xf32>
  %8 = tensor.empty() : tensor<8x16xf32>
  %9 = linalg.fill ins(%zero : f32) outs(%8 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %10 = linalg.matmul ins(%7, %flat : tensor<8x8xf32>, tensor<8x16xf32>)
      outs(%9 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %11 = tensor.empty() : tensor<16x8xf32>
  %12 = linalg.generic {indexing_maps = [#t2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%10 : tensor<8x16xf32>) outs(%11 : tensor<16x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  } -> tensor<16x8xf32>
  %13 = linalg.generic {indexing_maps = [#id2, #id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%rate, %12 : tensor<16x8xf32>, tensor<16x8xf32>) outs(%11 : tensor<16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %c = arith.mulf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<16x8xf32>
  %14 = linalg.generic {indexing_maps = [#id2, #id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%w, %13 : tensor<16x8xf32>, tensor<16x8xf32>) outs(%11 : tensor<16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %c = arith.subf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<16x8xf32>
  return %14, %y : tensor<16x8xf32>, tensor<2x4x8xf32>
}
