// RUN: sparsam-opt %s -sparsam-lower-sparse-products="vector-bits=256 l1-bytes=32768 l2-bytes=1048576" -canonicalize -cse -split-input-file \
// RUN:   | FileCheck %s
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=znver4 vector-bits=512 l1-bytes=32768 l2-bytes=1048576" -split-input-file \
// RUN:   | FileCheck %s --check-prefix=WIDE

// With 16 registers, blocks of two vectors of outputs: x is broadcast where it lies, 6
// tokens at a time, then the 4 that are left, and y leaves in rows. Two groups of tokens are
// few: threads share the blocks, too. With more registers, panels.
// CHECK-LABEL: func @rows
// CHECK-NOT:     sparsam_pack
// CHECK:         call @sparsam_spmm_rows_nm_2_4_16(%arg0,
// CHECK-LABEL: func private @sparsam_spmm_rows_nm_2_4_16(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: memref<100x64xf32>,
// CHECK-NOT:     vector.shuffle
// CHECK:         scf.parallel (%{{.+}}) = (%c0) to (%c4) step (%c1)
// CHECK:             scf.for %[[T:[a-z0-9]+]] = {{.*}} step %c6
// CHECK:                   scf.for {{.*}} -> (vector<8xf32>,
// CHECK-COUNT-2:             vector.load %{{.+}} : memref<1024xf32>, vector<8xf32>
// CHECK:                     %[[E:.+]] = memref.load %[[X]][%[[T]], %{{.+}}]
// CHECK:                     vector.broadcast %[[E]]
// CHECK-COUNT-12:            vector.fma
// CHECK-NOT:                 vector.fma
// CHECK:                     scf.yield
// CHECK-COUNT-12:          vector.store %{{.+}} : memref<100x32xf32>, vector<8xf32>
// CHECK:             scf.if
// CHECK-COUNT-8:             vector.fma
// CHECK-NOT:                 vector.fma
// WIDE-LABEL: func @rows
// WIDE:         call @sparsam_pack
func.func @rows(%x: memref<100x64xf32>, %v: memref<2x32x16xf32>, %i: memref<2x32xi16>,
                %y: memref<100x32xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4, vector = 16>}
      : (memref<100x64xf32>, memref<2x32x16xf32>, memref<2x32xi16>, memref<100x32xf32>) -> ()
  return
}

// -----

// One vector a block, rows that do not fit in the first-level cache, and rows whose
// neighbours share its sets: panels.
// CHECK-LABEL: func @panels
// CHECK-COUNT-3: call @sparsam_pack
func.func @panels(%x: memref<12x64xf32>, %v: memref<2x32x8xf32>, %i: memref<2x32xi16>,
                  %y: memref<12x16xf32>,
                  %x2: memref<12x2000xf32>, %v2: memref<1x1000x16xf32>, %i2: memref<1x1000xi16>,
                  %x3: memref<12x1024xf32>, %v3: memref<1x512x16xf32>, %i3: memref<1x512xi16>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4, vector = 8>}
      : (memref<12x64xf32>, memref<2x32x8xf32>, memref<2x32xi16>, memref<12x16xf32>) -> ()
  sparsam.spmm %x2, %v2, %i2 into %y {structure = #sparsam.nm<2:4, vector = 16>}
      : (memref<12x2000xf32>, memref<1x1000x16xf32>, memref<1x1000xi16>, memref<12x16xf32>) -> ()
  sparsam.spmm %x3, %v3, %i3 into %y {structure = #sparsam.nm<2:4, vector = 16>}
      : (memref<12x1024xf32>, memref<1x512x16xf32>, memref<1x512xi16>, memref<12x16xf32>) -> ()
  return
}

// -----

// Tile sizes are those of panels.
// CHECK-LABEL: func @tiles
// CHECK:         call @sparsam_pack_16(
// CHECK:         call @sparsam_spmm_{{.+}}_16_t2(
func.func @tiles(%x: memref<100x64xf32>, %v: memref<2x32x16xf32>, %i: memref<2x32xi16>,
                 %y: memref<100x32xf32>) {
  sparsam.spmm %x, %v, %i into %y
      {structure = #sparsam.nm<2:4, vector = 16>, sparsam.tiles = {token_vectors = 2}}
      : (memref<100x64xf32>, memref<2x32x16xf32>, memref<2x32xi16>, memref<100x32xf32>) -> ()
  return
}
