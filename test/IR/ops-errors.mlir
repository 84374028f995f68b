// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// densify, constraint 1.
func.func @densify_count(%values: tensor<8x8x1xf32>) -> tensor<16x8xf32> {
  // expected-error @below {{expected 2 storage tensors, found 1}}
  %w = sparsam.densify %values {structure = #sparsam.nm<2:4>} : (tensor<8x8x1xf32>) -> tensor<16x8xf32>
  return %w : tensor<16x8xf32>
}

// -----

func.func @densify_type(%values: tensor<8x4x1xf32>, %indices: tensor<8x8xi16>) -> tensor<16x8xf32> {
  // expected-error @below {{expected values of 'tensor<8x8x1xf32>', found 'tensor<8x4x1xf32>'}}
  %w = sparsam.densify %values, %indices {structure = #sparsam.nm<2:4>}
      : (tensor<8x4x1xf32>, tensor<8x8xi16>) -> tensor<16x8xf32>
  return %w : tensor<16x8xf32>
}

// -----

// restrict, constraint 1.
func.func @restrict_factors(%w: tensor<16x8xf32>, %u: tensor<16x2xf32>) -> tensor<2x8xf32> {
  // expected-error @below {{needs a pattern structure, found #sparsam.low_rank<2>}}
  %v = sparsam.restrict %w on %u {structure = #sparsam.low_rank<2>}
      : (tensor<16x8xf32>, tensor<16x2xf32>) -> tensor<2x8xf32>
  return %v : tensor<2x8xf32>
}

// -----

// restrict, constraint 2.
func.func @restrict_pattern(%w: tensor<16x8xf32>, %i: tensor<8x8xi32>) -> tensor<8x8x1xf32> {
  // expected-error @below {{expected indices of 'tensor<8x8xi16>', found 'tensor<8x8xi32>'}}
  %v = sparsam.restrict %w on %i {structure = #sparsam.nm<2:4>}
      : (tensor<16x8xf32>, tensor<8x8xi32>) -> tensor<8x8x1xf32>
  return %v : tensor<8x8x1xf32>
}

// -----

// select, constraint 1.
func.func @select_factors(%w: tensor<16x8xf32>) -> tensor<16x2xf32> {
  // expected-error @below {{needs a pattern structure, found #sparsam.low_rank<2>}}
  %i = sparsam.select %w {structure = #sparsam.low_rank<2>} : (tensor<16x8xf32>) -> tensor<16x2xf32>
  return %i : tensor<16x2xf32>
}

// -----

// select, constraint 2.
func.func @select_results(%w: tensor<16x8xf32>) -> tensor<8x4xi16> {
  // expected-error @below {{expected indices of 'tensor<8x8xi16>', found 'tensor<8x4xi16>'}}
  %i = sparsam.select %w {structure = #sparsam.nm<2:4>} : (tensor<16x8xf32>) -> tensor<8x4xi16>
  return %i : tensor<8x4xi16>
}

// -----

// factorize, constraint 1.
func.func @factorize_pattern(%w: tensor<16x8xf32>) -> tensor<8x8x1xf32> {
  // expected-error @below {{needs a factor structure, found #sparsam.nm<2:4>}}
  %v = sparsam.factorize %w {structure = #sparsam.nm<2:4>} : (tensor<16x8xf32>) -> tensor<8x8x1xf32>
  return %v : tensor<8x8x1xf32>
}

// -----

// factorize, constraint 2.
func.func @factorize_results(%w: tensor<16x8xf32>) -> (tensor<16x2xf32>, tensor<3x8xf32>) {
  // expected-error @below {{expected v of 'tensor<2x8xf32>', found 'tensor<3x8xf32>'}}
  %u, %v = sparsam.factorize %w {structure = #sparsam.low_rank<2>}
      : (tensor<16x8xf32>) -> (tensor<16x2xf32>, tensor<3x8xf32>)
  return %u, %v : tensor<16x2xf32>, tensor<3x8xf32>
}

// -----

// gradient, constraint 1.
func.func @gradient_of_nothing(%g: tensor<16x8xf32>) -> tensor<16x8xf32> {
  // expected-error @below {{expected the path of a parameter, found an empty one}}
  %0 = sparsam.gradient %g of "" : tensor<16x8xf32>
  return %0 : tensor<16x8xf32>
}

// -----

// einsum, constraint 1.
func.func @einsum_arrow(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{expected one `->` in the subscripts, found "ab"}}
  %0 = sparsam.einsum "ab"(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @einsum_terms(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{expected a term for each of 1 operands, found 2}}
  %0 = sparsam.einsum "ab,ab->ab"(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @einsum_rank(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{term "abc" does not fit 'tensor<2x3xf32>'}}
  %0 = sparsam.einsum "abc->ab"(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @einsum_letters(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{expected letters, found "a1"}}
  %0 = sparsam.einsum "a1->a1"(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// einsum, constraint 2.
func.func @einsum_repeat(%x: tensor<3x3xf32>) -> tensor<3xf32> {
  // expected-error @below {{term "aa" repeats a letter}}
  %0 = sparsam.einsum "aa->a"(%x) : (tensor<3x3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @einsum_new_letter(%x: tensor<3xf32>) -> tensor<3x4xf32> {
  // expected-error @below {{letter b of the result is in no operand}}
  %0 = sparsam.einsum "a->ab"(%x) : (tensor<3xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// -----

// einsum, constraint 3.
func.func @einsum_sizes(%x: tensor<2x3xf32>, %w: tensor<4x5xf32>) -> tensor<2x5xf32> {
  // expected-error @below {{letter k has sizes 3 and 4}}
  %0 = sparsam.einsum "tk,kn->tn"(%x, %w) : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return %0 : tensor<2x5xf32>
}

// -----

// einsum, constraint 4.
func.func @einsum_elements(%x: tensor<2x3xf32>, %w: tensor<3x5xf64>) -> tensor<2x5xf32> {
  // expected-error @below {{expected elements of 'f32' throughout, found 'tensor<3x5xf64>'}}
  %0 = sparsam.einsum "tk,kn->tn"(%x, %w) : (tensor<2x3xf32>, tensor<3x5xf64>) -> tensor<2x5xf32>
  return %0 : tensor<2x5xf32>
}

// -----

// spmm, constraint 1.
func.func @spmm_view(%x: tensor<5x8xf32>, %v: tensor<16x4x1xf32>, %i: tensor<16x4xi16>, %y: tensor<5x16xf32>) {
  // expected-error @below {{needs a structure in the default view, found #sparsam.nm<2:4, in = [1]>}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4, in = [1]>}
      : (tensor<5x8xf32>, tensor<16x4x1xf32>, tensor<16x4xi16>, tensor<5x16xf32>) -> tensor<5x16xf32>
  return
}

// -----

// spmm, constraint 2.
func.func @spmm_rows(%x: tensor<5x8xf32>, %v: tensor<16x4x1xf32>, %i: tensor<16x4xi16>, %y: tensor<6x16xf32>) {
  // expected-error @below {{input has 5 rows and the destination 6}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>}
      : (tensor<5x8xf32>, tensor<16x4x1xf32>, tensor<16x4xi16>, tensor<6x16xf32>) -> tensor<6x16xf32>
  return
}

// -----

// spmm, constraint 3.
func.func @spmm_storage(%x: tensor<5x8xf32>, %v: tensor<16x4x1xf32>, %i: tensor<16x4xi16>, %y: tensor<5x12xf32>) {
  // expected-error @below {{expected values of 'tensor<12x4x1xf32>', found 'tensor<16x4x1xf32>'}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>}
      : (tensor<5x8xf32>, tensor<16x4x1xf32>, tensor<16x4xi16>, tensor<5x12xf32>) -> tensor<5x12xf32>
  return
}

// -----

// spmm, constraint 4.
func.func @spmm_result(%x: memref<5x8xf32>, %v: memref<16x4x1xf32>, %i: memref<16x4xi16>, %y: memref<5x16xf32>) {
  // expected-error @below {{expected no result}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>}
      : (memref<5x8xf32>, memref<16x4x1xf32>, memref<16x4xi16>, memref<5x16xf32>) -> memref<5x16xf32>
  return
}

// -----

func.func @spmm_mixed(%x: memref<5x8xf32>, %v: tensor<16x4x1xf32>, %i: tensor<16x4xi16>, %y: tensor<5x16xf32>) {
  // expected-error @below {{mixes tensors and memrefs}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>}
      : (memref<5x8xf32>, tensor<16x4x1xf32>, tensor<16x4xi16>, tensor<5x16xf32>) -> tensor<5x16xf32>
  return
}

// -----

// sddmm, constraint 2.
func.func @sddmm_rows(%x: tensor<5x8xf32>, %dy: tensor<6x16xf32>, %i: tensor<16x4xi16>, %v: tensor<16x4x1xf32>) {
  // expected-error @below {{lhs has 5 rows and rhs 6}}
  %0 = sparsam.sddmm %x, %dy on %i into %v {structure = #sparsam.nm<2:4>}
      : (tensor<5x8xf32>, tensor<6x16xf32>, tensor<16x4xi16>, tensor<16x4x1xf32>) -> tensor<16x4x1xf32>
  return
}

// -----

// sddmm, constraint 3.
func.func @sddmm_pattern(%x: tensor<5x8xf32>, %dy: tensor<5x16xf32>, %i: tensor<16x2xi16>, %v: tensor<16x4x1xf32>) {
  // expected-error @below {{expected indices of 'tensor<16x4xi16>', found 'tensor<16x2xi16>'}}
  %0 = sparsam.sddmm %x, %dy on %i into %v {structure = #sparsam.nm<2:4>}
      : (tensor<5x8xf32>, tensor<5x16xf32>, tensor<16x2xi16>, tensor<16x4x1xf32>) -> tensor<16x4x1xf32>
  return
}

// -----

// spmm, constraint 5.
func.func @tiles_kind(%x: tensor<5x8xf32>, %v: tensor<16x4x1xf32>, %i: tensor<16x4xi16>, %y: tensor<5x16xf32>) {
  // expected-error @below {{needs a dictionary of sizes as `sparsam.tiles`, found 3 : i64}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>, sparsam.tiles = 3 : i64}
      : (tensor<5x8xf32>, tensor<16x4x1xf32>, tensor<16x4xi16>, tensor<5x16xf32>) -> tensor<5x16xf32>
  return
}

// -----

func.func @tiles_name(%x: tensor<5x8xf32>, %v: tensor<16x4x1xf32>, %i: tensor<16x4xi16>, %y: tensor<5x16xf32>) {
  // expected-error @below {{has no tile size 'height'; there are part, token_vectors, jobs, range, chunk}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>, sparsam.tiles = {height = 32}}
      : (tensor<5x8xf32>, tensor<16x4x1xf32>, tensor<16x4xi16>, tensor<5x16xf32>) -> tensor<5x16xf32>
  return
}

// -----

func.func @tiles_type(%x: tensor<5x8xf32>, %v: tensor<16x4x1xf32>, %i: tensor<16x4xi16>, %y: tensor<5x16xf32>) {
  // expected-error @below {{needs an i64 as tile size 'range', found 8 : i32}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>, sparsam.tiles = {range = 8 : i32}}
      : (tensor<5x8xf32>, tensor<16x4x1xf32>, tensor<16x4xi16>, tensor<5x16xf32>) -> tensor<5x16xf32>
  return
}

// -----

func.func @tiles_positive(%x: tensor<5x8xf32>, %v: tensor<16x4x1xf32>, %i: tensor<16x4xi16>, %y: tensor<5x16xf32>) {
  // expected-error @below {{needs tile size 'range' to be at least 1, found 0}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>, sparsam.tiles = {range = 0}}
      : (tensor<5x8xf32>, tensor<16x4x1xf32>, tensor<16x4xi16>, tensor<5x16xf32>) -> tensor<5x16xf32>
  return
}

// -----

func.func @tiles_height(%x: tensor<5x8xf32>, %v: tensor<16x4x1xf32>, %i: tensor<16x4xi16>, %y: tensor<5x16xf32>) {
  // expected-error @below {{needs tile size 'token_vectors' to be from 1 to 16, found 17}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>, sparsam.tiles = {token_vectors = 17}}
      : (tensor<5x8xf32>, tensor<16x4x1xf32>, tensor<16x4xi16>, tensor<5x16xf32>) -> tensor<5x16xf32>
  return
}

// -----

func.func @tiles_part(%x: tensor<5x8xf32>, %v: tensor<16x4x1xf32>, %i: tensor<16x4xi16>, %y: tensor<5x16xf32>) {
  // expected-error @below {{needs tile size 'part' to be from 1 to 128, found -1}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>, sparsam.tiles = {part = -1}}
      : (tensor<5x8xf32>, tensor<16x4x1xf32>, tensor<16x4xi16>, tensor<5x16xf32>) -> tensor<5x16xf32>
  return
}

// -----

// sddmm, constraint 5.
func.func @tiles_jobs(%x: tensor<5x8xf32>, %dy: tensor<5x16xf32>, %i: tensor<16x4xi16>, %v: tensor<16x4x1xf32>) {
  // expected-error @below {{needs tile size 'jobs' to be from 1 to 128, found 9223372036854775807}}
  %0 = sparsam.sddmm %x, %dy on %i into %v {structure = #sparsam.nm<2:4>, sparsam.tiles = {part = 2, jobs = 9223372036854775807}}
      : (tensor<5x8xf32>, tensor<5x16xf32>, tensor<16x4xi16>, tensor<16x4x1xf32>) -> tensor<16x4x1xf32>
  return
}

// -----

func.func @tiles_of_sddmm(%x: tensor<5x8xf32>, %v: tensor<16x4x1xf32>, %i: tensor<16x4xi16>, %y: tensor<5x16xf32>) {
  // expected-error @below {{has no 'chunk', which is a size of sddmm alone}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>, sparsam.tiles = {chunk = 64}}
      : (tensor<5x8xf32>, tensor<16x4x1xf32>, tensor<16x4xi16>, tensor<5x16xf32>) -> tensor<5x16xf32>
  return
}
