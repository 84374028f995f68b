// The stock mlir-opt takes structured products down to LLVM, by plugin and sparsifier.
// RUN: mlir-opt --load-dialect-plugin=%plugin --load-pass-plugin=%plugin %s \
// RUN:   --pass-pipeline='builtin.module(sparsam-to-sparse-tensor,sparsifier{enable-runtime-library=false})' \
// RUN:   | FileCheck %s

// CHECK: llvm.func @product(
func.func @product(%x: tensor<8x16xf32>, %v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>,
                   %init: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %y = sparsam.spmm %x, %v, %i into %init {structure = #sparsam.nm<2:4>}
      : (tensor<8x16xf32>, tensor<4x8x1xf32>, tensor<4x8xi16>, tensor<8x4xf32>)
      -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}
