// S(i, j) = sum over k of B(i, k) C(j, k) where A, in CSR, has entries: both operands are
// read along rows. The values of A are written over.
#CSR = #sparse_tensor.encoding<{
  map = (i, j) -> (i : dense, j : compressed), posWidth = 32, crdWidth = 32
}>
#maps = {
  indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>,
                   affine_map<(i, j, k) -> (i, j)>],
  iterator_types = ["parallel", "parallel", "reduction"]
}

func.func @product(%pos: tensor<?xi32> {bufferization.writable = true},
                   %crd: tensor<?xi32> {bufferization.writable = true},
                   %val: tensor<?xf32> {bufferization.writable = true},
                   %b: tensor<${M}x${K}xf32>, %c: tensor<${N}x${K}xf32>)
    -> tensor<?xf32> attributes {llvm.emit_c_interface} {
  %zero = arith.constant 0.0 : f32
  %a = sparse_tensor.assemble (%pos, %crd), %val
      : (tensor<?xi32>, tensor<?xi32>), tensor<?xf32> to tensor<${M}x${N}xf32, #CSR>
  %0 = linalg.generic #maps
      ins(%b, %c : tensor<${M}x${K}xf32>, tensor<${N}x${K}xf32>)
      outs(%a : tensor<${M}x${N}xf32, #CSR>) {
  ^bb0(%x: f32, %y: f32, %s: f32):
    %product = sparse_tensor.unary %s : f32 to f32
      present = {
      ^bb0(%p: f32):
        %xy = arith.mulf %x, %y : f32
        sparse_tensor.yield %xy : f32
      }
      absent = {}
    %sum = sparse_tensor.reduce %s, %product, %zero : f32 {
    ^bb0(%p: f32, %q: f32):
      %added = arith.addf %p, %q : f32
      sparse_tensor.yield %added : f32
    }
    linalg.yield %sum : f32
  } -> tensor<${M}x${N}xf32, #CSR>
  %values = sparse_tensor.values %0 : tensor<${M}x${N}xf32, #CSR> to memref<?xf32>
  %written = bufferization.to_tensor %values restrict writable
      : memref<?xf32> to tensor<?xf32>
  return %written : tensor<?xf32>
}
