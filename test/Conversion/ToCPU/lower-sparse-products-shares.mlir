// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=znver4 vector-bits=512 l1-bytes=32768 l2-bytes=1048586" -canonicalize -split-input-file | FileCheck %s

// Outputs that keep different numbers are cut into shares of equal work, where the pattern
// has its parts: 16 of them, of which each thread takes some in a row.
// CHECK-LABEL: func private @sparsam_sddmm_unstructured_64(
// CHECK-DAG:     %[[FIRST:.+]] = arith.constant 0 : index
// CHECK-DAG:     %[[ONE:.+]] = arith.constant 1 : index
// CHECK-DAG:     %[[SHARES:.+]] = arith.constant 16 : index
// CHECK-DAG:     %[[STARTS:.+]] = arith.constant 17 : index
// CHECK-DAG:     %[[OUTPUTS:.+]] = arith.constant 4096 : index
// CHECK:         %[[TABLE:.+]] = memref.alloca() : memref<17xindex>
// CHECK:         scf.for %[[SHARE:.+]] = %[[FIRST]] to %[[STARTS]]
// CHECK:           %[[FOUND:.+]]:2 = scf.while (%{{.+}} = %[[FIRST]], %{{.+}} = %[[OUTPUTS]])
// CHECK:           %[[START:.+]] = arith.minui %[[FOUND]]#0, %[[OUTPUTS]]
// CHECK:           memref.store %[[START]], %[[TABLE]][%[[SHARE]]]
// CHECK:         scf.parallel (%[[SHARE:.+]]) = (%[[FIRST]]) to (%[[SHARES]])
// CHECK:           %[[NEXT:.+]] = arith.addi %[[SHARE]], %[[ONE]]
// CHECK:           %[[BEGIN:.+]] = memref.load %[[TABLE]][%[[SHARE]]]
// CHECK:           %[[END:.+]] = memref.load %[[TABLE]][%[[NEXT]]]
// CHECK:           scf.for %{{.+}} = %[[BEGIN]] to %[[END]] step %[[ONE]]

// Seven panels of tokens are too few for many threads: two shares of the outputs each.
// CHECK-LABEL: func private @sparsam_spmm_unstructured_64(
// CHECK:         memref.alloca() : memref<3xindex>
// CHECK:         scf.while
// CHECK:         scf.parallel (%[[ITEM:.+]]) = (%{{.+}}) to (%[[ITEMS:.+]]) step
// CHECK-DAG:       arith.divui %[[ITEM]], %[[TWO:.+]] : index
// CHECK-DAG:       %[[SHARE:.+]] = arith.remui %[[ITEM]], %[[TWO]] : index
// CHECK:           memref.load %{{.+}}[%[[SHARE]]] : memref<3xindex>
func.func @ragged(%x: memref<400x256xf32>, %dy: memref<400x4096xf32>, %p: memref<4097xi32>,
                  %i: memref<104858xi16>, %v: memref<104858xf32>, %dv: memref<104858xf32>,
                  %y: memref<400x4096xf32>) {
  sparsam.sddmm %x, %dy on %p, %i into %dv {structure = #sparsam.unstructured<density = 0.1>}
      : (memref<400x256xf32>, memref<400x4096xf32>, memref<4097xi32>, memref<104858xi16>,
         memref<104858xf32>) -> ()
  sparsam.spmm %x, %v, %p, %i into %y {structure = #sparsam.unstructured<density = 0.1>}
      : (memref<400x256xf32>, memref<104858xf32>, memref<4097xi32>, memref<104858xi16>,
         memref<400x4096xf32>) -> ()
  return
}

// -----

// For dx, values are sorted in shares of whole ranges of outputs.
// CHECK-LABEL: func private @sparsam_sort_unstructured_1100_{{[0-9_]+}}(
// CHECK:         memref.alloca() : memref<6xindex>
// CHECK:         scf.while
// CHECK:         scf.parallel
// CHECK:           memref.load %{{.+}} : memref<6xindex>

// Two shares of the inputs, by the starts of all ranges of outputs.
// CHECK-LABEL: func private @sparsam_spmm_sorted_64(
// CHECK:         memref.alloca() : memref<3xindex>
// CHECK:         scf.while
// CHECK:         scf.parallel (%[[ITEM:.+]]) = (%{{.+}}) to (%[[ITEMS:.+]]) step
// CHECK-DAG:       arith.divui %[[ITEM]], %[[TWO:.+]] : index
// CHECK-DAG:       %[[SHARE:.+]] = arith.remui %[[ITEM]], %[[TWO]] : index
// CHECK:           memref.load %{{.+}}[%[[SHARE]]] : memref<3xindex>
func.func @sorted(%dy: memref<400x1024xf32>, %v: memref<112640xf32>, %p: memref<1025xi32>,
                  %i: memref<112640xi16>, %dx: memref<400x1100xf32>) {
  sparsam.spmm %dy, %v, %p, %i into %dx {structure = #sparsam.unstructured<density = 0.1>, transposed}
      : (memref<400x1024xf32>, memref<112640xf32>, memref<1025xi32>, memref<112640xi16>,
         memref<400x1100xf32>) -> ()
  return
}

// -----

// Outputs that keep equal numbers are cut without a look at the pattern. One panel of
// tokens is shared by its outputs, or by its ranges of inputs.
// CHECK-LABEL: func private @sparsam_spmm_nm_2_8_16(
// CHECK-DAG:     %[[C8:.+]] = arith.constant 8 : index
// CHECK-DAG:     %[[C0:.+]] = arith.constant 0 : index
// CHECK-NOT:     scf.while
// CHECK:         scf.parallel (%[[SHARE:.+]]) = (%[[C0]]) to (%[[C8]])
// CHECK:           arith.muli %[[SHARE]]
// CHECK-NOT:     scf.while
// CHECK-LABEL: func private @sparsam_spmm_transposed_nm_2_8_16(
// CHECK-DAG:     %[[C4:.+]] = arith.constant 4 : index
// CHECK-DAG:     %[[C0:.+]] = arith.constant 0 : index
// CHECK:         scf.parallel (%[[RANGE:.+]]) = (%[[C0]]) to (%[[C4]])
// CHECK:           arith.muli %[[RANGE]]
// CHECK:           scf.for
func.func @few_tokens(%x: memref<16x2048xf32>, %y: memref<16x1024xf32>, %v: memref<128x512x8xf32>,
                      %i: memref<128x512xi16>, %dx: memref<16x2048xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<16x2048xf32>, memref<128x512x8xf32>, memref<128x512xi16>, memref<16x1024xf32>) -> ()
  sparsam.spmm %y, %v, %i into %dx {structure = #sparsam.nm<2:8, vector = 8>, transposed}
      : (memref<16x1024xf32>, memref<128x512x8xf32>, memref<128x512xi16>, memref<16x2048xf32>) -> ()
  return
}

// -----

// Few outputs: the ranges of inputs are shared as well.
// CHECK-LABEL: func private @sparsam_sddmm_nm_2_4_64(
// CHECK-DAG:     %[[C0:.+]] = arith.constant 0 : index
// CHECK-DAG:     %[[C4:.+]] = arith.constant 4 : index
// CHECK:         scf.parallel (%[[RANGE:.+]]) = (%[[C0]]) to (%[[C4]])
// CHECK:           scf.for
// CHECK:             scf.for
// CHECK:               arith.muli %[[RANGE]]
func.func @few_outputs(%x: memref<100x512xf32>, %dy: memref<100x32xf32>, %i: memref<32x256xi16>,
                       %dv: memref<32x256x1xf32>) {
  sparsam.sddmm %x, %dy on %i into %dv {structure = #sparsam.nm<2:4>}
      : (memref<100x512xf32>, memref<100x32xf32>, memref<32x256xi16>, memref<32x256x1xf32>) -> ()
  return
}
