// A step whose weight takes a structure, from annotated linalg to the boundary with the
// JIT: structured products are calls of kernels, only upstream's dialects are left, and
// conversions to and from storage come along.
// RUN: sparsam-opt %s --sparsam-cpu-pipeline="structures={w=nm<2:4, vector = 8>}" -o %t.named 2> /dev/null
// RUN: FileCheck %s < %t.named
// RUN: mlir-opt %t.named -o /dev/null
// RUN: sparsam-opt %t.named --sparsam-lower-to-llvm | mlir-translate --mlir-to-llvmir -o /dev/null

// The option comes back out of the dump as it went in.
// RUN: sparsam-opt %s --sparsam-cpu-pipeline="structures={w=nm<2:4, vector = 8>}" --dump-pass-pipeline -o /dev/null 2> %t.dump
// RUN: sed -n '/^builtin.module/,/^)/p' %t.dump | tr -d '\n' > %t.text
// RUN: bash -c 'sparsam-opt %s --pass-pipeline="$(cat %t.text)" -o %t.again 2> /dev/null'
// RUN: diff %t.named %t.again

// Structured products may run by upstream's sparsification; the option survives the dump.
// RUN: sparsam-opt %s --sparsam-cpu-pipeline="structures={w=nm<2:4, vector = 8>} products=sparse-tensor" --dump-pass-pipeline -o %t.sparse 2> %t.dump
// RUN: FileCheck %s --check-prefix=SPARSE < %t.sparse
// RUN: mlir-opt %t.sparse -o /dev/null
// RUN: sparsam-opt %t.sparse --sparsam-lower-to-llvm | mlir-translate --mlir-to-llvmir -o /dev/null
// RUN: sed -n '/^builtin.module/,/^)/p' %t.dump | tr -d '\n' > %t.text
// RUN: bash -c 'sparsam-opt %s --pass-pipeline="$(cat %t.text)" -o %t.again 2> /dev/null'
// RUN: diff %t.sparse %t.again
// SPARSE-LABEL: func.func @step(
// SPARSE:         call @sparsam_sparse_tensor_spmm(
// SPARSE:         call @sparsam_sparse_tensor_sddmm(
// SPARSE:         return{{$}}
// SPARSE-NOT:   sparse_tensor.assemble
// RUN: not sparsam-opt %s --sparsam-cpu-pipeline="products=mine" 2>&1 | FileCheck %s --check-prefix=PRODUCTS
// PRODUCTS: for the --products option: Cannot find option named 'mine'!

// The width of the sparse kernels' vectors is this machine's, or is chosen.
// RUN: sparsam-opt %s --sparsam-cpu-pipeline="structures={w=nm<2:4, vector = 8>} vector-bits=256" 2> /dev/null | FileCheck %s --check-prefix=W256
// RUN: sparsam-opt %s --sparsam-cpu-pipeline="structures={w=nm<2:4, vector = 8>} vector-bits=512" 2> /dev/null | FileCheck %s --check-prefix=W512
// RUN: not sparsam-opt %s --sparsam-cpu-pipeline="vector-bits=100" 2>&1 | FileCheck %s --check-prefix=WIDTH
// W256-LABEL: func.func private @sparsam_spmm_nm_2_4
// W256-NOT:   vector<16xf32>
// W256:       vector.fma {{.*}} : vector<8xf32>
// W512-LABEL: func.func private @sparsam_spmm_nm_2_4
// W512:       vector.fma {{.*}} : vector<16xf32>
// WIDTH: error: vector-bits is a power of two of at least 128, or 0 for the CPU's; found 100

// CHECK-LABEL: func.func @step(
// CHECK-SAME:    memref<4x32x8xf32> {{{.*}}sparsam.param = "w"{{.*}}sparsam.updates = 1 : i64},
// CHECK-SAME:    memref<4x32xi16>
// CHECK-SAME:    memref<f32> {sparsam.result = 0 : i64}
// CHECK-SAME:    sparsam.workspace
// CHECK:         call @sparsam_spmm_nm_2_4
// CHECK:         call @sparsam_sddmm_nm_2_4
// CHECK-NOT:     sparsam_gemm
// CHECK:         return{{$}}
// CHECK-DAG:   func.func {{.*}}@compress(
// CHECK-DAG:   func.func {{.*}}@compress_on_pattern(
// CHECK-DAG:   func.func {{.*}}@densify(
#id = affine_map<(i, j) -> (i, j)>
#scalar = affine_map<(i, j) -> ()>
func.func @step(%w: tensor<64x32xf32> {sparsam.param = "w", sparsam.updates = 1 : i64}, %x: tensor<2048x64xf32>)
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
