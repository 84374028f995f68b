// RUN: sparsam-opt %s -sparsam-sparsify -split-input-file -verify-diagnostics

#CSR = #sparse_tensor.encoding<{ map = (i, j) -> (i : dense, j : compressed), posWidth = 32, crdWidth = 32 }>

// expected-error @below {{takes 'tensor<5xi32>'; expected memrefs, as sparsam-to-sparse-tensor makes them of products after bufferization}}
func.func @tensors(%p: tensor<5xi32>, %c: tensor<16xi32>, %v: tensor<16xf32>) -> tensor<4x16xf32, #CSR> {
  %w = sparse_tensor.assemble (%p, %c), %v : (tensor<5xi32>, tensor<16xi32>), tensor<16xf32> to tensor<4x16xf32, #CSR>
  return %w : tensor<4x16xf32, #CSR>
}

// -----

#CSR = #sparse_tensor.encoding<{ map = (i, j) -> (i : dense, j : compressed), posWidth = 32, crdWidth = 32 }>

// expected-error @below {{returns what is not written over an argument}}
func.func @allocates(%p: memref<5xi32>, %c: memref<16xi32>, %v: memref<16xf32>) -> memref<?xf32> {
  %pt = bufferization.to_tensor %p restrict : memref<5xi32> to tensor<5xi32>
  %ct = bufferization.to_tensor %c restrict : memref<16xi32> to tensor<16xi32>
  %vt = bufferization.to_tensor %v restrict : memref<16xf32> to tensor<16xf32>
  %w = sparse_tensor.assemble (%pt, %ct), %vt : (tensor<5xi32>, tensor<16xi32>), tensor<16xf32> to tensor<4x16xf32, #CSR>
  %values = sparse_tensor.values %w : tensor<4x16xf32, #CSR> to memref<?xf32>
  %t = bufferization.to_tensor %values restrict : memref<?xf32> to tensor<?xf32>
  %n = arith.negf %t : tensor<?xf32>
  %r = bufferization.to_buffer %n : tensor<?xf32> to memref<?xf32>
  return %r : memref<?xf32>
}

// -----

#CSR = #sparse_tensor.encoding<{ map = (i, j) -> (i : dense, j : compressed), posWidth = 32, crdWidth = 32 }>

func.func private @values(%p: memref<5xi32>, %c: memref<16xi32>, %v: memref<16xf32>) -> memref<?xf32> {
  %pt = bufferization.to_tensor %p restrict : memref<5xi32> to tensor<5xi32>
  %ct = bufferization.to_tensor %c restrict : memref<16xi32> to tensor<16xi32>
  %vt = bufferization.to_tensor %v restrict : memref<16xf32> to tensor<16xf32>
  %w = sparse_tensor.assemble (%pt, %ct), %vt : (tensor<5xi32>, tensor<16xi32>), tensor<16xf32> to tensor<4x16xf32, #CSR>
  %values = sparse_tensor.values %w : tensor<4x16xf32, #CSR> to memref<?xf32>
  return %values : memref<?xf32>
}

func.func @uses(%p: memref<5xi32>, %c: memref<16xi32>, %v: memref<16xf32>) -> memref<?xf32> {
  // expected-error @below {{uses what @values returns; expected what it writes over its arguments}}
  %r = call @values(%p, %c, %v) : (memref<5xi32>, memref<16xi32>, memref<16xf32>) -> memref<?xf32>
  return %r : memref<?xf32>
}
