// RUN: sparsam-opt %s --sparsam-apply-structure="structures={blocks/*/fc=nm<2:4, vector = 2>;*/view=low_rank<2, in = [1]>;*dense=dense;*/out=low_rank<2>}" --split-input-file 2>%t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK --input-file=%t.remarks

// The dumped pipeline parses back and does the same.
// RUN: sparsam-opt %s --sparsam-apply-structure="structures={blocks/*/fc=nm<2:4, vector = 2>;*/view=low_rank<2, in = [1]>;*dense=dense;*/out=low_rank<2>}" --dump-pass-pipeline --split-input-file 2>&1 >/dev/null | FileCheck %s --check-prefix=PIPELINE
// RUN: sparsam-opt %s --pass-pipeline="builtin.module(sparsam-apply-structure{structures={blocks/*/fc=nm<2:4, vector = 2>;*/view=low_rank<2, in = [1]>;*dense=dense;*/out=low_rank<2>}})" --split-input-file 2>/dev/null | FileCheck %s

// PIPELINE: sparsam-apply-structure{structures={blocks/*/fc=nm<2:4, vector = 2>;*/view=low_rank<2, in = [1]>;*dense=dense;*/out=low_rank<2>}}

// REMARK: remark: blocks/0/dense stays dense: `*dense` asks for dense
// REMARK: remark: bias stays dense: no structure was asked for

// CHECK-LABEL: func.func @step
//  CHECK-SAME:  %[[FC:.*]]: tensor<16x4xf32, #sparsam.nm<2:4, vector = 2>> {sparsam.param = "blocks/0/fc", sparsam.updates = 1 : i64}
//  CHECK-SAME:  tensor<4x16xf32, #sparsam.low_rank<2, in = [1]>> {sparsam.param = "blocks/0/out"}
//  CHECK-SAME:  tensor<16x4xf32, #sparsam.low_rank<2, in = [1]>> {sparsam.param = "blocks/0/view"}
//  CHECK-SAME:  tensor<16x4xf32> {sparsam.param = "blocks/0/dense"}
//  CHECK-SAME:  tensor<16xf32> {sparsam.param = "bias"}
//  CHECK-SAME:  tensor<2x8x4xf32, #sparsam.nm<2:4, in = [0, 1]>> {sparsam.param = "heads"}
//  CHECK-SAME:  -> (tensor<8x4xf32>, tensor<16x4xf32, #sparsam.nm<2:4, vector = 2>>)
//       CHECK:   %[[PLAIN:.*]] = tensor.cast %[[FC]] : tensor<16x4xf32, #sparsam.nm<2:4, vector = 2>> to tensor<16x4xf32>
//       CHECK:   linalg.matmul ins(%{{.*}}, %[[PLAIN]] :
//       CHECK:   %[[NEW:.*]] = arith.addf %[[PLAIN]], %[[PLAIN]]
//       CHECK:   %[[ENCODED:.*]] = tensor.cast %[[NEW]] : tensor<16x4xf32> to tensor<16x4xf32, #sparsam.nm<2:4, vector = 2>>
//       CHECK:   return %{{.*}}, %[[ENCODED]]
func.func @step(%fc: tensor<16x4xf32> {sparsam.param = "blocks/0/fc", sparsam.updates = 1 : i64},
                %out: tensor<4x16xf32> {sparsam.param = "blocks/0/out"},
                %view: tensor<16x4xf32> {sparsam.param = "blocks/0/view"},
                %dense: tensor<16x4xf32> {sparsam.param = "blocks/0/dense"},
                %bias: tensor<16xf32> {sparsam.param = "bias"},
                %heads: tensor<2x8x4xf32> {sparsam.param = "heads", sparsam.structure = #sparsam.nm<2:4>},
                %x: tensor<8x16xf32>) -> (tensor<8x4xf32>, tensor<16x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
  %0 = linalg.matmul ins(%x, %fc : tensor<8x16xf32>, tensor<16x4xf32>) outs(%f : tensor<8x4xf32>) -> tensor<8x4xf32>
  // Scaled and transposed before it is used: dimension 1 is contracted.
  %two = arith.constant 2.0 : f32
  %es = tensor.empty() : tensor<4x16xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%out : tensor<4x16xf32>) outs(%es : tensor<4x16xf32>) {
  ^bb0(%in: f32, %o: f32):
    %m = arith.mulf %in, %two : f32
    linalg.yield %m : f32
  } -> tensor<4x16xf32>
  %et = tensor.empty() : tensor<16x4xf32>
  %t = linalg.transpose ins(%scaled : tensor<4x16xf32>) outs(%et : tensor<16x4xf32>) permutation = [1, 0]
  %1 = linalg.matmul ins(%x, %t : tensor<8x16xf32>, tensor<16x4xf32>) outs(%0 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %2 = linalg.matmul ins(%x, %view : tensor<8x16xf32>, tensor<16x4xf32>) outs(%1 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %c = tensor.collapse_shape %heads [[0, 1], [2]] : tensor<2x8x4xf32> into tensor<16x4xf32>
  %3 = linalg.matmul ins(%x, %c : tensor<8x16xf32>, tensor<16x4xf32>) outs(%2 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %n = arith.addf %fc, %fc : tensor<16x4xf32>
  return %3, %n : tensor<8x4xf32>, tensor<16x4xf32>
}
