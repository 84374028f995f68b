// RUN: rm -rf %t && mkdir %t
// RUN: %python -c "import numpy as np; np.savez('%t/args.npz', x=np.arange(3, dtype=np.float32))"
// RUN: sparsam-run %s --pipeline sparsam-to-cpu --args %t/args.npz --results %t/out.npz
// RUN: %python -c "import numpy as np; assert np.load('%t/out.npz')['double'].tolist() == [0, 2, 4]"

// A function that is no training step.
func.func @double(%x: tensor<3xf32> {sparsam.name = "x"}) -> (tensor<3xf32> {sparsam.name = "double"}) {
  %empty = tensor.empty() : tensor<3xf32>
  %sum = linalg.add ins(%x, %x : tensor<3xf32>, tensor<3xf32>) outs(%empty : tensor<3xf32>) -> tensor<3xf32>
  return %sum : tensor<3xf32>
}
