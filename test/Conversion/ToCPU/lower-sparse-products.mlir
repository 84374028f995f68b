// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=znver4 vector-bits=512 l1-bytes=32768 l2-bytes=1048576" -split-input-file | FileCheck %s

// Products of one structure, shape and kind share a kernel; the panels of one height
// share the function that packs them.
// CHECK-LABEL: func @shared
// CHECK-SAME:    (%[[X:[a-z0-9]+]]: memref<64x128xf32>, %[[Z:[a-z0-9]+]]: memref<64x128xf32>, %[[V:[a-z0-9]+]]: {{.+}}, %[[I:[a-z0-9]+]]: memref<4x32xi16>, %[[Y:[a-z0-9]+]]: memref<64x32xf32>)
// CHECK:         %[[XP:.+]] = memref.alloc() {alignment = 64 : i64} : memref<4x2128xf32>
// CHECK:         call @sparsam_pack_16(%[[X]], %[[XP]])
// CHECK:         call @sparsam_spmm_nm_2_8_16(%[[XP]], %[[V]], %[[I]], %[[Y]])
// CHECK:         %[[ZP:.+]] = memref.alloc()
// CHECK:         call @sparsam_pack_16(%[[Z]], %[[ZP]])
// CHECK:         call @sparsam_spmm_nm_2_8_16(%[[ZP]], %[[V]], %[[I]], %[[Y]])
// CHECK-NOT:     sparsam.spmm
// CHECK:       func private @sparsam_pack_16{{.*}} attributes {no_inline}
// CHECK-NOT:   func private @sparsam_pack
// CHECK:       func private @sparsam_spmm_nm_2_8_16{{.*}} attributes {no_inline}
// CHECK-NOT:   func private
func.func @shared(%x: memref<64x128xf32>, %z: memref<64x128xf32>, %v: memref<4x32x8xf32>,
                  %i: memref<4x32xi16>, %y: memref<64x32xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  sparsam.spmm %z, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  return
}

// -----

// Another element type is another function, though the names start the same.
// CHECK-LABEL: func @by_type
// CHECK:         call @[[F32:sparsam_pack_16]](%{{.+}}) : (memref<64x128xf32>
// CHECK:         call @[[F64:sparsam_pack_8]](%{{.+}}) : (memref<64x128xf64>
func.func @by_type(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %y: memref<64x32xf32>,
                   %x2: memref<64x128xf64>, %v2: memref<4x32x8xf64>, %y2: memref<64x32xf64>,
                   %i: memref<4x32xi16>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  sparsam.spmm %x2, %v2, %i into %y2 {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf64>, memref<4x32x8xf64>, memref<4x32xi16>, memref<64x32xf64>) -> ()
  return
}

// -----

// The forward product and the gradient read the same panels of x, and the two backward
// products the same panels of dy.
// CHECK-LABEL: func @panels_once
// CHECK-SAME:    (%[[X:[a-z0-9]+]]: memref<64x128xf32>, %[[DY:[a-z0-9]+]]: memref<64x32xf32>,
// CHECK:         call @sparsam_pack_16(%[[X]], %[[XP:[a-z0-9_]+]])
// CHECK:         call @sparsam_spmm_nm_2_8_16(%[[XP]],
// CHECK:         call @[[PACK:.+]](%[[DY]], %[[DYP:[a-z0-9_]+]])
// CHECK:         call @sparsam_spmm_transposed_nm_2_8_16(%[[DYP]],
// CHECK-NOT:     call @sparsam_pack
// CHECK:         call @sparsam_sddmm_nm_2_8_16(%[[XP]], %[[DYP]],
func.func @panels_once(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %v: memref<4x32x8xf32>,
                       %i: memref<4x32xi16>, %y: memref<64x32xf32>, %dx: memref<64x128xf32>,
                       %dv: memref<4x32x8xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.exp ins(%y : memref<64x32xf32>) outs(%y : memref<64x32xf32>)
  %flat = memref.collapse_shape %x [[0, 1]] : memref<64x128xf32> into memref<8192xf32>
  %other = memref.collapse_shape %dx [[0, 1]] : memref<64x128xf32> into memref<8192xf32>
  linalg.abs ins(%flat : memref<8192xf32>) outs(%other : memref<8192xf32>)
  sparsam.spmm %dy, %v, %i into %dx {structure = #sparsam.nm<2:8, vector = 8>, transposed}
      : (memref<64x32xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x128xf32>) -> ()
  sparsam.sddmm %x, %dy on %i into %dv {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<64x32xf32>, memref<4x32xi16>, memref<4x32x8xf32>) -> ()
  return
}

// -----

// Panels of what was overwritten since, through whatever view, are packed again.
// CHECK-LABEL: func @overwritten
// CHECK-SAME:    (%[[X:[a-z0-9]+]]: memref<64x128xf32>,
// CHECK:         call @sparsam_pack_16(%[[X]],
// CHECK:         linalg.exp
// CHECK:         call @sparsam_pack_16(%[[X]],
// CHECK:         call @sparsam_spmm_transposed
// CHECK:         call @sparsam_pack_16(%[[X]],
func.func @overwritten(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %v: memref<4x32x8xf32>,
                       %i: memref<4x32xi16>, %y: memref<64x32xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  %flat = memref.collapse_shape %x [[0, 1]] : memref<64x128xf32> into memref<8192xf32>
  linalg.exp ins(%flat : memref<8192xf32>) outs(%flat : memref<8192xf32>)
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  sparsam.spmm %dy, %v, %i into %x {structure = #sparsam.nm<2:8, vector = 8>, transposed}
      : (memref<64x32xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x128xf32>) -> ()
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  return
}

// -----

// A layer of a stacked parameter is row-major and is taken where it is; layers at other
// offsets share the kernels.
// CHECK-LABEL: func @layer(
//   CHECK-NOT:   memref.alloc{{.*}}memref<4x8x1xf32>
//   CHECK-NOT:   linalg.copy
//       CHECK:   %[[V:.*]] = memref.cast %{{.*}} : memref<4x8x1xf32, strided<[8, 1, 1], offset: 32>> to memref<4x8x1xf32, strided<[8, 1, 1], offset: ?>>
//       CHECK:   call @[[KERNEL:sparsam_spmm_nm_2_4_[0-9]+]](%{{.*}}, %[[V]],
//       CHECK:   call @[[KERNEL]](
//   CHECK-NOT:   linalg.copy
func.func @layer(%x: memref<8x16xf32>, %v: memref<3x4x8x1xf32>, %i: memref<3x4x8xi16>,
                 %l: index, %y: memref<8x4xf32>) {
  %v1 = memref.subview %v[1, 0, 0, 0] [1, 4, 8, 1] [1, 1, 1, 1]
      : memref<3x4x8x1xf32> to memref<4x8x1xf32, strided<[8, 1, 1], offset: 32>>
  %i1 = memref.subview %i[1, 0, 0] [1, 4, 8] [1, 1, 1]
      : memref<3x4x8xi16> to memref<4x8xi16, strided<[8, 1], offset: 32>>
  sparsam.spmm %x, %v1, %i1 into %y {structure = #sparsam.nm<2:4>}
      : (memref<8x16xf32>, memref<4x8x1xf32, strided<[8, 1, 1], offset: 32>>,
         memref<4x8xi16, strided<[8, 1], offset: 32>>, memref<8x4xf32>) -> ()
  %vl = memref.subview %v[%l, 0, 0, 0] [1, 4, 8, 1] [1, 1, 1, 1]
      : memref<3x4x8x1xf32> to memref<4x8x1xf32, strided<[8, 1, 1], offset: ?>>
  %il = memref.subview %i[%l, 0, 0] [1, 4, 8] [1, 1, 1]
      : memref<3x4x8xi16> to memref<4x8xi16, strided<[8, 1], offset: ?>>
  sparsam.spmm %x, %vl, %il into %y {structure = #sparsam.nm<2:4>}
      : (memref<8x16xf32>, memref<4x8x1xf32, strided<[8, 1, 1], offset: ?>>,
         memref<4x8xi16, strided<[8, 1], offset: ?>>, memref<8x4xf32>) -> ()
  return
}

// -----

// Values of single outputs are sorted for dx where there is more than one panel of tokens:
// by ranges of outputs and in each by input, so that dx gathers as y does; in each range by
// how many an input has, so that loops end where the one before did.
// CHECK-LABEL: func @single_outputs
// CHECK-SAME:    (%[[X:[a-z0-9]+]]: memref<200x256xf32>, %[[V:[a-z0-9]+]]: memref<32x128x1xf32>, %[[I:[a-z0-9]+]]: memref<32x128xi16>,
// CHECK:         call @sparsam_pack_64(%[[X]], %[[XP:[a-z0-9_]+]])
// CHECK-NOT:     call @sparsam_sort
// CHECK:         call @sparsam_spmm_nm_2_4_64(%[[XP]],
// CHECK:         %[[S:.+]] = memref.alloc() {alignment = 64 : i64} : memref<{{[0-9]+}}xi8>
// CHECK:         call @sparsam_sort_nm_2_4_256_32_{{[0-9]+}}(%[[V]], %[[I]], %[[S]])
// CHECK-DAG:     %[[VALUES:.+]] = memref.view %[[S]]{{.*}} to memref<8192xf32>
// CHECK-DAG:     %[[OUTPUTS:.+]] = memref.view %[[S]]{{.*}} to memref<8192xi32>
// CHECK-DAG:     %[[STARTS:.+]] = memref.view %[[S]]{{.*}} to memref<1x257xi32>
// CHECK-DAG:     %[[ORDER:.+]] = memref.view %[[S]]{{.*}} to memref<1x256xi32>
// CHECK:         call @sparsam_spmm_sorted_64(%{{.+}}, %[[VALUES]], %[[OUTPUTS]], %[[STARTS]], %[[ORDER]],

// Forward fetches the values and indices of the fourth output to come, whose piece of the
// range is too short for hardware to.
// CHECK-LABEL: func private @sparsam_spmm_nm_2_4_64(
// CHECK-SAME:    %{{[a-z0-9]+}}: memref<4x16464xf32>, %[[V:[a-z0-9]+]]: memref<32x128x1xf32>, %[[I:[a-z0-9]+]]: memref<32x128xi16>,
// CHECK-DAG:     %[[VALUES:.+]] = memref.collapse_shape %[[V]]
// CHECK-DAG:     %[[INPUTS:.+]] = memref.collapse_shape %[[I]]
// CHECK:         arith.addi %{{.+}}, %c4
// CHECK-COUNT-4: memref.prefetch %[[VALUES]]
// CHECK-COUNT-2: memref.prefetch %[[INPUTS]]
// CHECK:         scf.for

// CHECK-LABEL: func private @sparsam_spmm_sorted_64(
// CHECK-SAME:    %[[ORDER:[a-z0-9]+]]: memref<1x256xi32>, %{{[a-z0-9]+}}: memref<200x256xf32>)
// CHECK:         memref.load %[[ORDER]]
func.func @single_outputs(%x: memref<200x256xf32>, %v: memref<32x128x1xf32>, %i: memref<32x128xi16>,
                          %y: memref<200x32xf32>, %dx: memref<200x256xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:4>}
      : (memref<200x256xf32>, memref<32x128x1xf32>, memref<32x128xi16>, memref<200x32xf32>) -> ()
  sparsam.spmm %y, %v, %i into %dx {structure = #sparsam.nm<2:4>, transposed}
      : (memref<200x32xf32>, memref<32x128x1xf32>, memref<32x128xi16>, memref<200x256xf32>) -> ()
  return
}

// -----

// What cuts each output's kept inputs into ranges is found once for each state of the
// pattern, for the product and its gradient.
// CHECK-LABEL: func @bounds
// CHECK-SAME:    (%[[X:[a-z0-9]+]]: memref<200x256xf32>, %[[DY:[a-z0-9]+]]: memref<200x64xf32>, %[[P:[a-z0-9]+]]: memref<65xi32>, %[[I:[a-z0-9]+]]: memref<4096xi16>,
// CHECK:         call @[[FIND:sparsam_bounds_unstructured_128]](%[[P]], %[[I]], %[[BOUNDS:[a-z0-9_]+]]) : (memref<65xi32>, memref<4096xi16>, memref<3x64xi64>) -> ()
// CHECK:         call @sparsam_spmm_unstructured_64(%{{.+}}, %{{.+}}, %[[P]], %[[I]], %[[BOUNDS]],
// CHECK-NOT:     call @sparsam_bounds
// CHECK:         call @sparsam_sddmm_unstructured_64(%{{.+}}, %{{.+}}, %[[P]], %[[I]], %[[BOUNDS]],
// CHECK:         memref.store %{{.+}}, %[[I]]
// CHECK:         call @[[FIND]](%[[P]], %[[I]], %[[AGAIN:[a-z0-9_]+]])
// CHECK:         call @sparsam_sddmm_unstructured_64(%{{.+}}, %{{.+}}, %[[P]], %[[I]], %[[AGAIN]],
// CHECK-NOT:     call @sparsam_bounds
// CHECK:         call @sparsam_spmm_unstructured_64{{.*}}(%{{.+}}, %{{.+}}, %[[P]], %[[I]], %[[AGAIN]],
func.func @bounds(%x: memref<200x256xf32>, %dy: memref<200x64xf32>, %p: memref<65xi32>,
                  %i: memref<4096xi16>, %v: memref<4096xf32>, %dv: memref<4096xf32>,
                  %y: memref<200x64xf32>, %more: memref<500x256xf32>, %z: memref<500x64xf32>) {
  sparsam.spmm %x, %v, %p, %i into %y {structure = #sparsam.unstructured<density = 0.25>}
      : (memref<200x256xf32>, memref<4096xf32>, memref<65xi32>, memref<4096xi16>, memref<200x64xf32>) -> ()
  sparsam.sddmm %x, %dy on %p, %i into %dv {structure = #sparsam.unstructured<density = 0.25>}
      : (memref<200x256xf32>, memref<200x64xf32>, memref<65xi32>, memref<4096xi16>, memref<4096xf32>) -> ()
  %c0 = arith.constant 0 : index
  %first = arith.constant 0 : i16
  memref.store %first, %i[%c0] : memref<4096xi16>
  sparsam.sddmm %x, %dy on %p, %i into %dv {structure = #sparsam.unstructured<density = 0.25>}
      : (memref<200x256xf32>, memref<200x64xf32>, memref<65xi32>, memref<4096xi16>, memref<4096xf32>) -> ()
  sparsam.spmm %more, %v, %p, %i into %z {structure = #sparsam.unstructured<density = 0.25>}
      : (memref<500x256xf32>, memref<4096xf32>, memref<65xi32>, memref<4096xi16>, memref<500x64xf32>) -> ()
  return
}

// -----

// Where the entries of a range of outputs are more than a cache holds, they are sorted by
// pieces of the inputs: each output goes on where the piece before ended.
// CHECK-LABEL: func private @sparsam_sort_unstructured_1024_128_
// CHECK:         scf.for %[[PIECE:.+]] = %{{.+}} to %c1024{{[_0-9]*}} step %c512{{[_0-9]*}} {
// CHECK:           %[[LIMIT:.+]] = arith.addi %[[PIECE]], %c512
// CHECK:           scf.for %[[OUTPUT:.+]] = %{{.+}} to %{{.+}} step %{{.+}} {
// CHECK:             %[[STORED:.+]] = memref.load %[[FRONTS:.+]][%[[OUTPUT]]] : memref<128xi32
// CHECK:             %[[NUMBER:.+]] = arith.index_castui %[[STORED]]
// CHECK:             %[[NEXT:.+]]:2 = scf.while (%{{.+}} = %[[NUMBER]])
// CHECK:               arith.cmpi ult, %{{.+}}, %[[LIMIT]]
// CHECK:             %[[FRONT:.+]] = arith.index_castui %[[NEXT]]#0
// CHECK:             memref.store %[[FRONT]], %[[FRONTS]][%[[OUTPUT]]]
func.func @pieces(%dy: memref<200x128xf32>, %v: memref<65536xf32>, %p: memref<129xi32>,
                  %i: memref<65536xi16>, %dx: memref<200x1024xf32>) {
  sparsam.spmm %dy, %v, %p, %i into %dx {structure = #sparsam.unstructured<density = 0.5>, transposed}
      : (memref<200x128xf32>, memref<65536xf32>, memref<129xi32>, memref<65536xi16>, memref<200x1024xf32>) -> ()
  return
}

// -----

// One panel of tokens does not repay sorting.
// CHECK-LABEL: func @one_panel
// CHECK-NOT:     call @sparsam_sort
// CHECK:         call @sparsam_spmm_transposed_nm_2_4_64(
func.func @one_panel(%dy: memref<64x32xf32>, %v: memref<32x128x1xf32>, %i: memref<32x128xi16>,
                     %dx: memref<64x256xf32>) {
  sparsam.spmm %dy, %v, %i into %dx {structure = #sparsam.nm<2:4>, transposed}
      : (memref<64x32xf32>, memref<32x128x1xf32>, memref<32x128xi16>, memref<64x256xf32>) -> ()
  return
}

// -----

// Tile sizes that a product has of its own: panels of three vectors of 16, in ranges of 32
// of the 128 inputs; another product's kernel of the same types is another function.
// CHECK-LABEL: func @tiles
// CHECK:         call @sparsam_pack_48(
// CHECK:         call @sparsam_spmm_nm_2_8_48_p2_t3_r32(
// CHECK:         call @sparsam_pack_16(
// CHECK:         call @sparsam_spmm_nm_2_8_16(
// CHECK:       func private @sparsam_spmm_nm_2_8_48_p2_t3_r32
// CHECK:         memref.alloca() {alignment = 64 : i64} : memref<32x48xf32>
// CHECK:         scf.for %{{.+}} = %{{.+}} to %c16 step %c4{{.*}} {
func.func @tiles(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                 %y: memref<64x32xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>,
      sparsam.tiles = {part = 2, token_vectors = 3, range = 32}}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  return
}

// -----

// Types do not say how many inputs there are: patterns that differ in that alone are sorted
// by functions of their own.
// CHECK-LABEL: func @sorted_apart
// CHECK:         call @[[A:sparsam_sort_unstructured_97_10_[0-9]+]](
// CHECK:         call @[[B:sparsam_sort_unstructured_101_10_[0-9]+]](
// CHECK:       func private @[[A]]({{.*}}memref<10xf32>
// CHECK:       func private @[[B]]({{.*}}memref<10xf32>
func.func @sorted_apart(%dy: memref<128x10xf32>, %v: memref<10xf32>, %p: memref<11xi32>,
                        %i: memref<10xi16>, %a: memref<128x97xf32>, %b: memref<128x101xf32>) {
  sparsam.spmm %dy, %v, %p, %i into %a {structure = #sparsam.unstructured<density = 0.01>, transposed}
      : (memref<128x10xf32>, memref<10xf32>, memref<11xi32>, memref<10xi16>, memref<128x97xf32>) -> ()
  sparsam.spmm %dy, %v, %p, %i into %b {structure = #sparsam.unstructured<density = 0.01>, transposed}
      : (memref<128x10xf32>, memref<10xf32>, memref<11xi32>, memref<10xi16>, memref<128x101xf32>) -> ()
  return
}
