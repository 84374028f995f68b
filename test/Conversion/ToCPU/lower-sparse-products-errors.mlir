// RUN: sparsam-opt %s -sparsam-lower-sparse-products -split-input-file -verify-diagnostics
// RUN: not sparsam-opt %s -sparsam-lower-sparse-products="vector-bits=384" -split-input-file 2>&1 \
// RUN:   | FileCheck %s
// CHECK: error: vector-bits is a power of two of at least 128, or 0 for the CPU's; found 384
// RUN: not sparsam-opt %s -sparsam-lower-sparse-products="l2-bytes=-1" -split-input-file 2>&1 \
// RUN:   | FileCheck %s --check-prefix=CACHE
// CACHE: error: l1-bytes and l2-bytes are sizes of caches, or 0 for the CPU's; found -1
// RUN: not sparsam-opt %s -sparsam-lower-sparse-products="cpu=i9" -split-input-file 2>&1 \
// RUN:   | FileCheck %s --check-prefix=CPU
// RUN: not sparsam-opt %s -sparsam-lower-sparse-products="threads=-1" -split-input-file 2>&1 \
// RUN:   | FileCheck %s --check-prefix=THREADS
// THREADS: error: threads is their number, or 0 for one a core; found -1
// CPU: error: there is no CPU 'i9'; some that there are: host, {{.*}}generic

func.func @tensors(%x: tensor<64x128xf32>, %v: tensor<4x32x8xf32>, %i: tensor<4x32xi16>,
                   %y: tensor<64x32xf32>) -> tensor<64x32xf32> {
  // expected-error @below {{is not on memrefs; expected it after bufferization, found 'tensor<64x128xf32>'}}
  %0 = sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (tensor<64x128xf32>, tensor<4x32x8xf32>, tensor<4x32xi16>, tensor<64x32xf32>)
      -> tensor<64x32xf32>
  return %0 : tensor<64x32xf32>
}

// -----

func.func @dynamic(%x: memref<?x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                   %y: memref<?x32xf32>) {
  // expected-error @below {{needs static shapes, found 'memref<?x128xf32>'}}
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<?x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<?x32xf32>) -> ()
  return
}

// -----

func.func @strided(%x: memref<64x128xf32, strided<[256, 1]>>, %v: memref<4x32x8xf32>,
                   %i: memref<4x32xi16>, %y: memref<64x32xf32>) {
  // expected-remark @below {{copies operand 0, whose layout is strided<[256, 1]>}}
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32, strided<[256, 1]>>, memref<4x32x8xf32>, memref<4x32xi16>,
         memref<64x32xf32>) -> ()
  return
}

// -----

func.func @tiles_part(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                      %y: memref<64x32xf32>) {
  // expected-error @below {{has blocks of 8 outputs, of which no more are in registers, found part = 9}}
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>, sparsam.tiles = {part = 9}}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  return
}

// -----

func.func @tiles_range(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                       %y: memref<64x32xf32>) {
  // expected-error @below {{keeps its rows in groups of 8, expected a multiple, up to all 128, found range = 20}}
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>, sparsam.tiles = {range = 20}}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  return
}

// -----

func.func @tiles_jobs(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %i: memref<32x32xi16>,
                      %v: memref<32x32x1xf32>) {
  // expected-error-re @below {{sums the gradients of single outputs in one vector of {{[0-9]+}}, expected a power of two up to that, found jobs = 3}}
  sparsam.sddmm %x, %dy on %i into %v {structure = #sparsam.nm<2:8>, sparsam.tiles = {jobs = 3}}
      : (memref<64x128xf32>, memref<64x32xf32>, memref<32x32xi16>, memref<32x32x1xf32>) -> ()
  return
}

// -----

func.func @tiles_stack(%dy: memref<64x8xf32>, %v: memref<1x16384x8xf32>, %i: memref<1x16384xi16>,
                       %dx: memref<64x65536xf32>) {
  // expected-error-re @below {{has at most {{[0-9]+}} rows of a range on the stack, in panels of {{[0-9]+}} tokens, found range = 65536}}
  sparsam.spmm %dy, %v, %i into %dx {structure = #sparsam.nm<2:8, vector = 8>, transposed,
      sparsam.tiles = {range = 65536}}
      : (memref<64x8xf32>, memref<1x16384x8xf32>, memref<1x16384xi16>, memref<64x65536xf32>) -> ()
  return
}

// -----

func.func @tiles_chunk(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %i: memref<32x32xi16>,
                       %v: memref<32x32x1xf32>) {
  // expected-error @below {{sums the gradients of single outputs over lanes in each panel, expected no chunk, found chunk = 64}}
  sparsam.sddmm %x, %dy on %i into %v {structure = #sparsam.nm<2:8>, sparsam.tiles = {chunk = 64}}
      : (memref<64x128xf32>, memref<64x32xf32>, memref<32x32xi16>, memref<32x32x1xf32>) -> ()
  return
}

// -----

func.func @tiles_range_of_rows(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                              %y: memref<64x32xf32>) {
  // expected-error @below {{keeps its rows in groups of 8, expected a multiple, up to all 128, found range = 136}}
  sparsam.spmm %x, %v, %i into %y
      {structure = #sparsam.nm<2:8, vector = 8>, sparsam.tiles = {range = 136}}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  return
}

// -----

func.func @tiles_range_of_all(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                             %y: memref<64x32xf32>) {
  // expected-error @below {{keeps its rows in groups of 8, expected a multiple, up to all 128, found range = 9223372036854775807}}
  sparsam.spmm %y, %v, %i into %x
      {structure = #sparsam.nm<2:8, vector = 8>, transposed, sparsam.tiles = {range = 9223372036854775807}}
      : (memref<64x32xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x128xf32>) -> ()
  return
}

// -----

// All tokens are in one panel, whose ranges threads share.
func.func @tiles_range_of_panel(%x: memref<1x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                               %y: memref<1x32xf32>) {
  // expected-error @below {{keeps its rows in groups of 8, expected a multiple, up to all 128, found range = 1}}
  sparsam.spmm %y, %v, %i into %x
      {structure = #sparsam.nm<2:8, vector = 8>, transposed, sparsam.tiles = {range = 1}}
      : (memref<1x32xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<1x128xf32>) -> ()
  return
}

// -----

func.func @tiles_model_part(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %i: memref<4x32xi16>,
                           %v: memref<4x32x8xf32>) {
  // expected-error-re @below {{has part x jobs accumulators in registers, at most 128, found part = {{[48]}} and jobs = 128}}
  sparsam.sddmm %x, %dy on %i into %v
      {structure = #sparsam.nm<2:8, vector = 8>, sparsam.tiles = {jobs = 128}}
      : (memref<64x128xf32>, memref<64x32xf32>, memref<4x32xi16>, memref<4x32x8xf32>) -> ()
  return
}

// -----

func.func @tiles_accumulators(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %i: memref<4x32xi16>,
                             %v: memref<4x32x8xf32>) {
  // expected-error @below {{has part x jobs accumulators in registers, at most 128, found part = 8 and jobs = 17}}
  sparsam.sddmm %x, %dy on %i into %v
      {structure = #sparsam.nm<2:8, vector = 8>, sparsam.tiles = {part = 8, jobs = 17}}
      : (memref<64x128xf32>, memref<64x32xf32>, memref<4x32xi16>, memref<4x32x8xf32>) -> ()
  return
}

// -----

func.func @tiles_chunk_of_tokens(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %i: memref<4x32xi16>,
                                %v: memref<4x32x8xf32>) {
  // expected-error @below {{has 64 tokens, of which no more are in a chunk, found chunk = 65}}
  sparsam.sddmm %x, %dy on %i into %v
      {structure = #sparsam.nm<2:8, vector = 8>, sparsam.tiles = {chunk = 65}}
      : (memref<64x128xf32>, memref<64x32xf32>, memref<4x32xi16>, memref<4x32x8xf32>) -> ()
  return
}

// -----

func.func @tiles_chunk_of_all(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %i: memref<4x32xi16>,
                             %v: memref<4x32x8xf32>) {
  // expected-error @below {{has 64 tokens, of which no more are in a chunk, found chunk = 9223372036854775807}}
  sparsam.sddmm %x, %dy on %i into %v
      {structure = #sparsam.nm<2:8, vector = 8>, sparsam.tiles = {chunk = 9223372036854775807}}
      : (memref<64x128xf32>, memref<64x32xf32>, memref<4x32xi16>, memref<4x32x8xf32>) -> ()
  return
}
