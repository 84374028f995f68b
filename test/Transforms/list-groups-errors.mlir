// RUN: sparsam-opt %s --sparsam-list-groups --verify-diagnostics --split-input-file -o /dev/null

// Entries are looked up by data, and counted.
// expected-remark @below {{group "w:0" of 6 entries (w:0) cannot be sliced: entries of it are looked up by data}}
// expected-remark @below {{group "w:1" of 4 entries (w:1) cannot be sliced: an operation counts along it}}
func.func @positions(%w: tensor<6x4xf32> {sparsam.param = "w"}, %i: tensor<5xi32>) -> tensor<5x4xf32> {
  %e = tensor.empty() : tensor<5x4xf32>
  // expected-note @below {{here}}
  %s = linalg.generic {indexing_maps = [affine_map<(t, d) -> (t)>, affine_map<(t, d) -> (t, d)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%i : tensor<5xi32>) outs(%e : tensor<5x4xf32>) {
    ^bb0(%token: i32, %out: f32):
      %row = arith.index_cast %token : i32 to index
      %d = linalg.index 1 : index
      %x = tensor.extract %w[%row, %d] : tensor<6x4xf32>
      %n = arith.index_cast %d : index to i32
      %f = arith.sitofp %n : i32 to f32
      %p = arith.mulf %x, %f : f32
      linalg.yield %p : f32
    } -> tensor<5x4xf32>
  return %s : tensor<5x4xf32>
}

// -----

// Reshapes that do not fit one another.
// expected-remark @below {{group "w:0[(4)x3]" of 4 entries (w:0[(4)x3]) cannot be sliced: reshapes cut it at places that do not fit one another}}
// expected-remark @below {{group "w:0[4x(3)]" of 3 entries (w:0[4x(3)]) cannot be sliced: reshapes cut it at places that do not fit one another}}
func.func @reshapes(%w: tensor<12xf32> {sparsam.param = "w"}) -> (tensor<4x3xf32>, tensor<3xf32>) {
  %zero = arith.constant 0.0 : f32
  %a = tensor.expand_shape %w [[0, 1]] output_shape [4, 3] : tensor<12xf32> into tensor<4x3xf32>
  // expected-note @below {{here}}
  %b = tensor.expand_shape %w [[0, 1]] output_shape [3, 4] : tensor<12xf32> into tensor<3x4xf32>
  %e = tensor.empty() : tensor<3xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<3xf32>) -> tensor<3xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%b : tensor<3x4xf32>) outs(%z : tensor<3xf32>) {
    ^bb0(%in: f32, %out: f32):
      %0 = arith.addf %in, %out : f32
      linalg.yield %0 : f32
    } -> tensor<3xf32>
  return %a, %s : tensor<4x3xf32>, tensor<3xf32>
}

// -----

// A product over an axis is no sum, and what is not known takes all of it.
// expected-remark @below {{group "w:0" of 6 entries (w:0) cannot be sliced: `linalg.generic` combines its entries in a way that is not a sum, maximum or the like of one result}}
func.func @product(%w: tensor<6xf32> {sparsam.param = "w"},
                   // expected-remark @below {{group "v:0" of 5 entries (v:0) cannot be sliced: `tensor.reshape` takes it}}
                   %v: tensor<5xf32> {sparsam.param = "v"}, %shape: tensor<2xindex>)
    -> (tensor<f32>, tensor<5x1xf32>) {
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<f32>
  %z = linalg.fill ins(%one : f32) outs(%e : tensor<f32>) -> tensor<f32>
  // expected-note @below {{here}}
  %s = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>],
                       iterator_types = ["reduction"]}
      ins(%w : tensor<6xf32>) outs(%z : tensor<f32>) {
    ^bb0(%in: f32, %out: f32):
      %0 = arith.mulf %in, %out : f32
      linalg.yield %0 : f32
    } -> tensor<f32>
  // expected-note @below {{here}}
  %r = tensor.reshape %v(%shape) : (tensor<5xf32>, tensor<2xindex>) -> tensor<5x1xf32>
  return %s, %r : tensor<f32>, tensor<5x1xf32>
}

// -----

// Entries that are taken one by one are no axis, and the dimension is listed as a whole;
// an earlier reason stays.
// expected-remark @below {{group "w:0" of 3 entries (w:0) cannot be sliced: an operation takes one entry of it by itself}}
func.func @one_by_one(%w: tensor<3xf32> {sparsam.param = "w"},
                      // expected-remark @below {{group "v:0" of 2 entries (v:0) cannot be sliced: `linalg.generic` combines its entries in a way that is not a sum, maximum or the like of one result}}
                      %v: tensor<2xf32> {sparsam.param = "v"}) -> (tensor<1xf32>, tensor<1xf32>, tensor<f32>) {
  // expected-note @below {{here}}
  %0 = tensor.extract_slice %w[0] [1] [1] : tensor<3xf32> to tensor<1xf32>
  %1 = tensor.extract_slice %w[1] [1] [1] : tensor<3xf32> to tensor<1xf32>
  %2 = tensor.extract_slice %w[2] [1] [1] : tensor<3xf32> to tensor<1xf32>
  %3 = arith.mulf %0, %1 : tensor<1xf32>
  %4 = arith.mulf %2, %3 : tensor<1xf32>
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<f32>
  %z = linalg.fill ins(%one : f32) outs(%e : tensor<f32>) -> tensor<f32>
  // expected-note @below {{here}}
  %p = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>],
                       iterator_types = ["reduction"]}
      ins(%v : tensor<2xf32>) outs(%z : tensor<f32>) {
    ^bb0(%in: f32, %out: f32):
      %5 = arith.mulf %in, %out : f32
      linalg.yield %5 : f32
    } -> tensor<f32>
  %6 = tensor.extract_slice %v[0] [1] [1] : tensor<2xf32> to tensor<1xf32>
  %7 = tensor.extract_slice %v[1] [1] [1] : tensor<2xf32> to tensor<1xf32>
  %8 = arith.mulf %6, %7 : tensor<1xf32>
  return %4, %8, %p : tensor<1xf32>, tensor<1xf32>, tensor<f32>
}
