// OpenBLAS goes by the processors that it knows, and takes its slowest kernels on a newer
// one: it is told which to take, by what the processor has, unless the user tells it.
// REQUIRES: x86
// RUN: rm -rf %t && mkdir %t
// RUN: %python -c "import numpy as np; x = np.arange(64 * 64, dtype=np.float32).reshape(64, 64); np.savez('%t/args.npz', x=x)"
// RUN: env -u OPENBLAS_CORETYPE OPENBLAS_VERBOSE=2 sparsam-run %s --pipeline sparsam-to-cpu --args %t/args.npz 2>&1 \
// RUN:   | FileCheck %s
// RUN: env OPENBLAS_CORETYPE=Prescott OPENBLAS_VERBOSE=2 sparsam-run %s --pipeline sparsam-to-cpu --args %t/args.npz 2>&1 \
// RUN:   | FileCheck %s --check-prefix=USER
// CHECK: Core: {{Haswell|SkylakeX}}
// USER: Core: Prescott
func.func @square(%x: tensor<64x64xf32> {sparsam.name = "x"}) -> (tensor<64x64xf32> {sparsam.name = "y"}) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<64x64xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<64x64xf32>) -> tensor<64x64xf32>
  %y = linalg.matmul ins(%x, %x : tensor<64x64xf32>, tensor<64x64xf32>) outs(%zeros : tensor<64x64xf32>) -> tensor<64x64xf32>
  return %y : tensor<64x64xf32>
}
