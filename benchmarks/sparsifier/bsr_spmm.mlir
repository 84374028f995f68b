// C += A B with A in blocks of $R x $R.
#BSR = #sparse_tensor.encoding<{
  map = (i, j) -> (i floordiv $R : dense, j floordiv $R : compressed,
                   i mod $R : dense, j mod $R : dense), posWidth = 32, crdWidth = 32
}>

func.func @product(%pos: tensor<?xi32>, %crd: tensor<?xi32>, %val: tensor<?xf32>,
                   %b: tensor<${K}x${N}xf32>,
                   %c: tensor<${M}x${N}xf32> {bufferization.writable = true})
    -> tensor<${M}x${N}xf32> attributes {llvm.emit_c_interface} {
  %a = sparse_tensor.assemble (%pos, %crd), %val
      : (tensor<?xi32>, tensor<?xi32>), tensor<?xf32> to tensor<${M}x${K}xf32, #BSR>
  %0 = linalg.matmul ins(%a, %b : tensor<${M}x${K}xf32, #BSR>, tensor<${K}x${N}xf32>)
                     outs(%c : tensor<${M}x${N}xf32>) -> tensor<${M}x${N}xf32>
  return %0 : tensor<${M}x${N}xf32>
}
