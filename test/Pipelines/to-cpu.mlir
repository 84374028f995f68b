// The output of sparsam-to-cpu is upstream's: the stock tool reads it.
// RUN: sparsam-opt %s --sparsam-to-cpu | FileCheck %s
// RUN: sparsam-opt %s --sparsam-to-cpu | mlir-opt -o /dev/null
// RUN: sparsam-opt %s --sparsam-to-cpu --sparsam-lower-to-llvm | FileCheck %s --check-prefix=LLVM
// RUN: sparsam-opt %s --sparsam-to-cpu --sparsam-lower-to-llvm | mlir-translate --mlir-to-llvmir -o /dev/null

// The pipelines that --dump-pass-pipeline prints parse back and give the same.
// RUN: sparsam-opt %s --sparsam-to-cpu --dump-pass-pipeline -o %t.direct 2> %t.dump
// RUN: sed -n '/^builtin.module/,$p' %t.dump | tr -d '\n' > %t.text
// RUN: bash -c 'sparsam-opt %s --pass-pipeline="$(cat %t.text)" -o %t.again'
// RUN: diff %t.direct %t.again
// RUN: sparsam-opt %t.direct --sparsam-lower-to-llvm --dump-pass-pipeline -o %t.llvm 2> %t.dump
// RUN: sed -n '/^builtin.module/,$p' %t.dump | tr -d '\n' > %t.text
// RUN: bash -c 'sparsam-opt %t.direct --pass-pipeline="$(cat %t.text)" -o %t.llvm.again'
// RUN: diff %t.llvm %t.llvm.again

// CHECK-LABEL: func.func @step(
// CHECK-SAME:    %[[W:[^:]*]]: memref<64x32xf32> {sparsam.updates = 1 : i64},
// CHECK-SAME:    %[[X:[^:]*]]: memref<2048x64xf32>,
// CHECK-SAME:    %[[LOSS:[^:]*]]: memref<f32> {sparsam.result = 0 : i64},
// CHECK-SAME:    %{{[^:]*}}: memref<{{[0-9]*}}xi8> {sparsam.workspace})
// CHECK-SAME:    attributes {llvm.emit_c_interface}
// CHECK-COUNT-2: call @sparsam_gemm_f32
// The update is computed in the argument.
// CHECK:         call @elementwise_64_32({{.*}}%[[W]]
// CHECK-NOT:     memref.copy
// CHECK-NOT:     memref.alloc
// CHECK:         return{{$}}
// CHECK:       scf.parallel

// LLVM-DAG:    llvm.func @_mlir_ciface_step(%{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr)
// LLVM-DAG:    omp.parallel
// LLVM-NOT:    unrealized_conversion_cast
#id = affine_map<(i, j) -> (i, j)>
#scalar = affine_map<(i, j) -> ()>
func.func @step(%w: tensor<64x32xf32> {sparsam.updates = 1 : i64}, %x: tensor<2048x64xf32>)
    -> (tensor<f32>, tensor<64x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %rate = arith.constant 0.01 : f32
  %y_empty = tensor.empty() : tensor<2048x32xf32>
  %y_zero = linalg.fill ins(%zero : f32) outs(%y_empty : tensor<2048x32xf32>) -> tensor<2048x32xf32>
  %y = linalg.matmul ins(%x, %w : tensor<2048x64xf32>, tensor<64x32xf32>) outs(%y_zero : tensor<2048x32xf32>) -> tensor<2048x32xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<2048x32xf32>) outs(%y_empty : tensor<2048x32xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = math.tanh %a : f32
    linalg.yield %0 : f32
  } -> tensor<2048x32xf32>
  %loss_empty = tensor.empty() : tensor<f32>
  %loss_zero = linalg.fill ins(%zero : f32) outs(%loss_empty : tensor<f32>) -> tensor<f32>
  %loss = linalg.generic {indexing_maps = [#id, #scalar], iterator_types = ["reduction", "reduction"]}
      ins(%t : tensor<2048x32xf32>) outs(%loss_zero : tensor<f32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.addf %o, %a : f32
    linalg.yield %0 : f32
  } -> tensor<f32>
  %g_empty = tensor.empty() : tensor<64x32xf32>
  %g_zero = linalg.fill ins(%zero : f32) outs(%g_empty : tensor<64x32xf32>) -> tensor<64x32xf32>
  %g = linalg.generic {
      indexing_maps = [affine_map<(k, n, m) -> (m, k)>, affine_map<(k, n, m) -> (m, n)>,
                       affine_map<(k, n, m) -> (k, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %t : tensor<2048x64xf32>, tensor<2048x32xf32>) outs(%g_zero : tensor<64x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<64x32xf32>
  %new = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w, %g : tensor<64x32xf32>, tensor<64x32xf32>) outs(%g_empty : tensor<64x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %b, %rate : f32
    %1 = arith.subf %a, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<64x32xf32>
  return %loss, %new : tensor<f32>, tensor<64x32xf32>
}
