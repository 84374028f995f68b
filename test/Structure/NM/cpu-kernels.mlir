// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=znver4 vector-bits=512 l1-bytes=32768 l2-bytes=1048576" -canonicalize -cse -split-input-file \
// RUN:   | FileCheck %s
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="vector-bits=256 l1-bytes=32768 l2-bytes=1048576" -canonicalize -cse -split-input-file \
// RUN:   | FileCheck %s --check-prefix=NARROW
// Every kernel has to reach LLVM through upstream passes alone.
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="vector-bits=256 l1-bytes=32768 l2-bytes=1048576" -split-input-file \
// RUN:   -convert-scf-to-openmp -expand-strided-metadata -lower-affine -finalize-memref-to-llvm \
// RUN:   -convert-scf-to-cf -convert-vector-to-llvm -convert-to-llvm -reconcile-unrealized-casts \
// RUN:   | FileCheck %s --check-prefix=LLVM
// LLVM-NOT: unrealized_conversion_cast

// Forward: 8 outputs x 1 vector of 16 tokens in registers, weights broadcast, indices
// read unsigned; two blocks at a time leave as rows of 16 outputs.
// CHECK-LABEL: func private @sparsam_spmm_nm_2_8_16
// CHECK:         scf.parallel (%[[ITEM:.+]]) =
// CHECK:           %[[P:.+]] = arith.divui %[[ITEM]], %c2
// CHECK:           memref.alloca() {alignment = 64 : i64} : memref<16x16xf32>
// CHECK:           scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>,
// CHECK:             %[[STORED:.+]] = memref.load %{{.+}} : memref<128xi16>
// CHECK:             %[[K:.+]] = arith.index_castui %[[STORED]] : i16 to index
// CHECK:             vector.load %{{.+}}[%[[P]], %[[K]], %c0]
// CHECK-COUNT-8:     vector.fma
// CHECK-NOT:         vector.fma
// A panel in the first-level cache is not fetched ahead.
// CHECK-NOT:         memref.prefetch
// CHECK:             scf.yield
// CHECK-COUNT-64:  vector.shuffle
// CHECK-COUNT-16:  vector.store
func.func @forward(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                   %y: memref<64x32xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  return
}

// -----

// Transposed: gradients of 8 outputs in registers, added to rows of the panel.
// CHECK-LABEL: func private @sparsam_spmm_transposed_nm_2_8_16
// CHECK:         scf.parallel
// CHECK:           %[[DX:.+]] = memref.alloca() {alignment = 64 : i64} : memref<128x16xf32>
// CHECK-COUNT-8:   vector.load %{{.+}} : memref<4x32x16xf32, strided<[592, 16, 1]>>, vector<16xf32>
// CHECK:             scf.for
// CHECK:               vector.load %[[DX]]
// CHECK-COUNT-8:       vector.fma
// CHECK:               vector.store %{{.+}}, %[[DX]]
func.func @transposed(%dy: memref<64x32xf32>, %v: memref<4x32x8xf32>,
                      %i: memref<4x32xi16>, %dx: memref<64x128xf32>) {
  sparsam.spmm %dy, %v, %i into %dx {structure = #sparsam.nm<2:8, vector = 8>, transposed}
      : (memref<64x32xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x128xf32>) -> ()
  return
}

// -----

// A larger panel is: the rows of 32 kept inputs later, unless no more follow.
// CHECK-LABEL: func private @sparsam_spmm_nm_2_16_16
// CHECK:         scf.parallel (%[[ITEM:.+]]) =
// CHECK:           %[[P:.+]] = arith.divui %[[ITEM]], %c2
// CHECK:           %[[EXIST:.+]] = arith.cmpi ule, %{{.+}}, %c256
// CHECK:           %[[FETCH:.+]] = arith.select %[[EXIST]], %c32, %c0
// CHECK:           scf.for %[[Q:[a-z0-9]+]] =
// CHECK:             %[[LATER:.+]] = arith.addi %[[Q]], %[[FETCH]]
// CHECK:             %[[STORED:.+]] = memref.load %{{.+}}[%[[LATER]]] : memref<256xi16>
// CHECK:             %[[K:.+]] = arith.index_castui %[[STORED]]
// CHECK:             memref.prefetch %{{.+}}[%[[P]], %[[K]], %c0], read, locality<3>, data
// CHECK:             vector.load
func.func @fetched(%x: memref<64x512xf32>, %v: memref<4x64x8xf32>, %i: memref<4x64xi16>,
                   %y: memref<64x32xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:16, vector = 8>}
      : (memref<64x512xf32>, memref<4x64x8xf32>, memref<4x64xi16>, memref<64x32xf32>) -> ()
  return
}

// -----

// With 16 registers and half of the inputs kept, 4 outputs x 3 vectors of 8 tokens, on
// ranges of inputs whose panel is in the first-level cache; but 2 vectors where a third
// would hold no tokens.
// NARROW-LABEL: func @near
// NARROW:         call @sparsam_spmm_nm_2_4_24(
// NARROW:         call @sparsam_spmm_nm_2_4_16(
// NARROW-LABEL: func private @sparsam_spmm_nm_2_4_24
// NARROW:         scf.parallel
// NARROW:           scf.for %{{.+}} = %c0 to %c128 step %c64
// NARROW:             scf.for {{.*}} -> (vector<8xf32>,
// NARROW-NOT:           memref.prefetch
// NARROW-COUNT-12:      vector.fma
// NARROW-NOT:           vector.fma
// NARROW:               scf.yield
func.func @near(%x: memref<72x512xf32>, %v: memref<4x256x8xf32>, %i: memref<4x256xi16>,
                %y: memref<72x32xf32>, %z: memref<32x512xf32>, %t: memref<32x32xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4, vector = 8>}
      : (memref<72x512xf32>, memref<4x256x8xf32>, memref<4x256xi16>, memref<72x32xf32>) -> ()
  sparsam.spmm %z, %v, %i into %t {structure = #sparsam.nm<2:4, vector = 8>}
      : (memref<32x512xf32>, memref<4x256x8xf32>, memref<4x256xi16>, memref<32x32xf32>) -> ()
  return
}

// -----

// Gradient: 8 outputs x 3 kept inputs of partial sums; blocks in parallel, so that no
// two threads add to one entry. Meanwhile dy of the next block and x of the next tile are
// fetched. With 16 registers the two parts of a block follow on each other.
// CHECK-LABEL: func private @sparsam_sddmm_nm_2_8_16
// CHECK:         scf.parallel
// CHECK-COUNT-6:   arith.index_castui
// CHECK:           scf.for
// CHECK-COUNT-4:     memref.prefetch
// CHECK-COUNT-24:    vector.fma
// NARROW-LABEL: func private @sparsam_sddmm_nm_2_8_16
// NARROW:         scf.parallel
// NARROW:           scf.for
// NARROW-COUNT-2:     scf.for {{.*}} -> (vector<8xf32>,
// CHECK-NOT:         vector.fma
// CHECK:             scf.yield
// CHECK:           vector.store {{.*}} : memref<1024xf32>, vector<16xf32>
// CHECK:           vector.store {{.*}} : memref<1024xf32>, vector<8xf32>
func.func @gradient(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %i: memref<4x32xi16>,
                    %dv: memref<4x32x8xf32>) {
  sparsam.sddmm %x, %dy on %i into %dv {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<64x32xf32>, memref<4x32xi16>, memref<4x32x8xf32>) -> ()
  return
}

// -----

// Tokens and features that fill no vector are masked.
// CHECK-LABEL: func private @sparsam_pack_64
// CHECK:         vector.create_mask
// CHECK:         vector.maskedload
// CHECK-LABEL: func private @sparsam_spmm_nm_1_4_64
// CHECK:         vector.create_mask
// CHECK:         vector.maskedstore
func.func @remainders(%x: memref<3x20xf64>, %v: memref<7x5x1xf64>, %i: memref<7x5xi16>,
                      %y: memref<3x7xf64>, %x2: memref<3x20xf32>, %v2: memref<7x5x1xf32>,
                      %y2: memref<3x7xf32>) {
  sparsam.spmm %x2, %v2, %i into %y2 {structure = #sparsam.nm<1:4>}
      : (memref<3x20xf32>, memref<7x5x1xf32>, memref<7x5xi16>, memref<3x7xf32>) -> ()
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<1:4>}
      : (memref<3x20xf64>, memref<7x5x1xf64>, memref<7x5xi16>, memref<3x7xf64>) -> ()
  return
}
