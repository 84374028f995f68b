// RUN: sparsam-opt %s -sparsam-lower-sparse-products="vector-bits=256 l1-bytes=32768 l2-bytes=1048576" -canonicalize -cse -split-input-file \
// RUN:   | FileCheck %s
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=znver4 vector-bits=512 l1-bytes=32768 l2-bytes=1048576" -split-input-file \
// RUN:   | FileCheck %s --check-prefix=WIDE
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=x86-64-v4 l1-bytes=49152 l2-bytes=1048576" -canonicalize -cse -split-input-file \
// RUN:   | FileCheck %s --check-prefix=LOADS

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

// -----

// Where loads are the limit, x is broadcast from panels of two vectors of tokens: three
// tiles of 10, 11 and 11, and of the last panel the 4 tokens that there are. Single
// inputs, which hardware does not foresee, stay with tokens in lanes.
// LOADS-LABEL: func @blocks
// LOADS:         call @[[ROWS:sparsam_spmm_rows_of_panels_block_8_32]](
// LOADS:         call @sparsam_spmm_nm_2_4_32(
// LOADS:       func private @[[ROWS]](
// LOADS-NOT:     vector.shuffle
// LOADS:         %[[X:.+]] = memref.reinterpret_cast %arg0 {{.*}} to memref<4x96x32xf32,
// LOADS:         scf.for {{.*}} step %c2
// LOADS:         scf.for %[[T:[a-z0-9]+]] = {{.*}} step %c32
// LOADS:           %[[PANEL:.+]] = arith.divui %[[T]], %c32
// LOADS:             scf.for {{.*}} -> (vector<16xf32>,
// LOADS-COUNT-2:       vector.load %{{.+}} : memref<3072xf32>, vector<16xf32>
// LOADS:               %[[E:.+]] = memref.load %[[X]][%[[PANEL]], %[[INPUT:.+]], %c0]
// LOADS:               vector.broadcast %[[E]]
// LOADS:               memref.load %[[X]][%[[PANEL]], %[[INPUT]], %c9]
// LOADS-NOT:           memref.load %[[X]][%[[PANEL]], %{{.+}}, %c10]
// LOADS:             vector.store %{{.+}}, %{{.+}}[%[[T]], %{{.+}}] : memref<100x64xf32>, vector<16xf32>
// LOADS:               memref.load %[[X]][%[[PANEL]], %{{.+}}, %c10]
// LOADS:               memref.load %[[X]][%[[PANEL]], %{{.+}}, %c20]
// LOADS:             vector.store
// LOADS:               memref.load %[[X]][%[[PANEL]], %{{.+}}, %c21]
// LOADS:               memref.load %[[X]][%[[PANEL]], %{{.+}}, %c31]
// LOADS:             vector.store
// LOADS:         scf.if
// LOADS:               memref.load %[[X]][%c3, %{{.+}}, %c3]
// LOADS-NOT:           memref.load %[[X]][%c3, %{{.+}}, %c4]
// LOADS-COUNT-8:     vector.store %{{.+}}[%c9{{[6-9]}}, %{{.+}}] : memref<100x64xf32>, vector<16xf32>
// LOADS-NOT:         vector.store
// LOADS:         return
func.func @blocks(%x: memref<100x96xf32>, %v: memref<2x6x8x32xf32>, %i: memref<2x6xi16>,
                  %y: memref<100x64xf32>, %v2: memref<2x48x32xf32>, %i2: memref<2x48xi16>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.block<8x32, density = 0.5>}
      : (memref<100x96xf32>, memref<2x6x8x32xf32>, memref<2x6xi16>, memref<100x64xf32>) -> ()
  sparsam.spmm %x, %v2, %i2 into %y {structure = #sparsam.nm<2:4, vector = 32>}
      : (memref<100x96xf32>, memref<2x48x32xf32>, memref<2x48xi16>, memref<100x64xf32>) -> ()
  return
}

// -----

// Threads take consecutive pairs of a share and a group of three panels: equal shares first,
// since the last group has one panel. Panels of so many inputs that they do not stay in half of
// the second-level cache have tokens in lanes.
// LOADS-LABEL: func @pairs
// LOADS:         call @sparsam_spmm_rows_of_panels_block_8_32(
// LOADS:         call @sparsam_spmm_block_8_32(
// LOADS:       func private @sparsam_spmm_rows_of_panels_block_8_32(
// LOADS:         scf.parallel (%[[PAIR:.+]]) = (%c0) to (%c6) step (%c1)
// LOADS:           %[[SHARE:.+]] = arith.divui %[[PAIR]], %c3
// LOADS:           %[[GROUP:.+]] = arith.remui %[[PAIR]], %c3
// LOADS:           arith.muli %[[SHARE]], %c2
// LOADS:           arith.muli %[[GROUP]], %c96
func.func @pairs(%x: memref<200x96xf32>, %v: memref<2x6x8x32xf32>, %i: memref<2x6xi16>,
                 %y: memref<200x64xf32>, %x2: memref<200x4096xf32>,
                 %v2: memref<2x256x8x32xf32>, %i2: memref<2x256xi16>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.block<8x32, density = 0.5>}
      : (memref<200x96xf32>, memref<2x6x8x32xf32>, memref<2x6xi16>, memref<200x64xf32>) -> ()
  sparsam.spmm %x2, %v2, %i2 into %y {structure = #sparsam.block<8x32, density = 0.5>}
      : (memref<200x4096xf32>, memref<2x256x8x32xf32>, memref<2x256xi16>, memref<200x64xf32>) -> ()
  return
}
