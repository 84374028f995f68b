// RUN: sparsam-opt %s --sparsam-apply-structure --split-input-file --verify-diagnostics

// expected-error @below {{w: group "w:0" cannot be sliced: argument 1 has it, which is no parameter; leave it dense}}
func.func @blocked(%w: tensor<4x3xf32> {sparsam.param = "w", sparsam.structure = #sparsam.slice<group = "w:0", keep = 2>},
                   // expected-note @below {{here}}
                   %x: tensor<2x4xf32>, %y: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %h = linalg.matmul ins(%x, %w : tensor<2x4xf32>, tensor<4x3xf32>)
      outs(%y : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %h : tensor<2x3xf32>
}

// -----

func.func @another(%w: tensor<4x8xf32> {sparsam.param = "w", sparsam.structure = #sparsam.slice<group = "w:1", keep = 2>},
                   // expected-error @below {{v: #sparsam.nm<2:4> was asked for, but group "w:1", which w slices, has it too (v:0); one parameter has one structure, so leave it to the slice}}
               %v: tensor<8x4xf32> {sparsam.param = "v", sparsam.structure = #sparsam.nm<2:4>}) -> tensor<4x4xf32> {
  %e = tensor.empty() : tensor<4x4xf32>
  %h = linalg.matmul ins(%w, %v : tensor<4x8xf32>, tensor<8x4xf32>)
      outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %h : tensor<4x4xf32>
}

// -----

func.func @two(%w: tensor<4x8xf32> {sparsam.param = "w", sparsam.structure = #sparsam.slice<keep = 2>},
               // expected-error @below {{keeps 3 entries of group "w:1", but w keeps 2; they are coupled, so ask for the same}}
               %b: tensor<8xf32> {sparsam.param = "b", sparsam.structure = #sparsam.slice<keep = 3>}) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  %h = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%w, %b : tensor<4x8xf32>, tensor<8xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%x: f32, %y: f32, %out: f32):
      %0 = arith.mulf %x, %y : f32
      linalg.yield %0 : f32
    } -> tensor<4x8xf32>
  return %h : tensor<4x8xf32>
}

// -----

// expected-error @below {{w: has no group "u"; its groups are "w:0", "w:1"}}
func.func @unknown(%w: tensor<4x8xf32> {sparsam.param = "w", sparsam.structure = #sparsam.slice<group = "u", keep = 2>}) -> tensor<4x8xf32> {
  return %w : tensor<4x8xf32>
}

// -----

// expected-error @below {{keeps more than the 8 entries of group "w:1"}}
func.func @more(%w: tensor<4x8xf32> {sparsam.param = "w", sparsam.structure = #sparsam.slice<keep = 9>}) -> tensor<4x8xf32> {
  return %w : tensor<4x8xf32>
}

// -----

// expected-error @below {{needs an output dimension of more than one entry, found 'tensor<4x1xf32>'}}
func.func @one(%w: tensor<4x1xf32> {sparsam.param = "w", sparsam.structure = #sparsam.slice<keep = 1>}) -> tensor<4x1xf32> {
  return %w : tensor<4x1xf32>
}

// -----

// What couples a dimension whose entries are taken one by one is named.
// expected-error @below {{w: group "w:1" cannot be sliced: an operation takes one entry of it by itself; leave it dense}}
func.func @cut(%w: tensor<4x2xf32> {sparsam.param = "w", sparsam.structure = #sparsam.slice<keep = 1>}) -> tensor<4x1xf32> {
  // expected-note @below {{here}}
  %a = tensor.extract_slice %w[0, 0] [4, 1] [1, 1] : tensor<4x2xf32> to tensor<4x1xf32>
  %b = tensor.extract_slice %w[0, 1] [4, 1] [1, 1] : tensor<4x2xf32> to tensor<4x1xf32>
  %h = arith.mulf %a, %b : tensor<4x1xf32>
  return %h : tensor<4x1xf32>
}
