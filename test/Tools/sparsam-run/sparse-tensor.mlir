// A step whose structured products run by upstream's sparsification leaves what one by our
// kernels does.
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/Inputs/sparse_tensor.py make %t/args.npz
// RUN: sparsam-run %s --args %t/args.npz --pipeline "sparsam-to-cpu" --results %t/kernels.npz
// RUN: sparsam-run %s --args %t/args.npz --pipeline "sparsam-to-cpu{products=sparse-tensor}" --results %t/upstream.npz
// RUN: %python %S/Inputs/sparse_tensor.py compare %t/kernels.npz %t/upstream.npz
// RUN: not sparsam-run %s --pipeline "sparsam-to-cpu{products=mine}" 2>&1 | FileCheck %s
// CHECK: Cannot find option named 'mine'
func.func @step(%x: tensor<5x16xf32>, %dy: tensor<5x4xf32>, %v: tensor<4x8x1xf32>, %i: tensor<4x8xi16>)
    -> (tensor<5x4xf32>, tensor<5x16xf32>, tensor<4x8x1xf32>) {
  %y_init = tensor.empty() : tensor<5x4xf32>
  %y = sparsam.spmm %x, %v, %i into %y_init {structure = #sparsam.nm<2:4>}
      : (tensor<5x16xf32>, tensor<4x8x1xf32>, tensor<4x8xi16>, tensor<5x4xf32>) -> tensor<5x4xf32>
  %dx_init = tensor.empty() : tensor<5x16xf32>
  %dx = sparsam.spmm %dy, %v, %i into %dx_init {structure = #sparsam.nm<2:4>, transposed}
      : (tensor<5x4xf32>, tensor<4x8x1xf32>, tensor<4x8xi16>, tensor<5x16xf32>) -> tensor<5x16xf32>
  %dv_init = tensor.empty() : tensor<4x8x1xf32>
  %dv = sparsam.sddmm %x, %dy on %i into %dv_init {structure = #sparsam.nm<2:4>}
      : (tensor<5x16xf32>, tensor<5x4xf32>, tensor<4x8xi16>, tensor<4x8x1xf32>) -> tensor<4x8x1xf32>
  return %y, %dx, %dv : tensor<5x4xf32>, tensor<5x16xf32>, tensor<4x8x1xf32>
}
