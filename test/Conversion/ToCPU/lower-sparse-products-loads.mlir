// Where arithmetic on a whole register is as fast as loading one.
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=x86-64-v4 l1-bytes=49152 l2-bytes=1048576" -canonicalize -cse -split-input-file \
// RUN:   | FileCheck %s
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=znver4 l1-bytes=49152 l2-bytes=1048576" -canonicalize -cse -split-input-file \
// RUN:   | FileCheck %s --check-prefix=HALVES

// Each weight serves two vectors of tokens.
// CHECK-LABEL: func private @sparsam_spmm_nm_2_8_32
// CHECK:           scf.for {{.*}} -> (vector<16xf32>,
// CHECK-COUNT-16:    vector.fma
// CHECK-NOT:         vector.fma
// CHECK:             scf.yield
// HALVES-LABEL: func private @sparsam_spmm_nm_2_8_16
// HALVES:           scf.for {{.*}} -> (vector<16xf32>,
// HALVES-COUNT-8:     vector.fma
// HALVES-NOT:         vector.fma
// HALVES:             scf.yield
func.func @forward(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                   %y: memref<64x32xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  return
}

// -----

// Sums over lanes of sixteen gradients fill a vector: two kept inputs of eight outputs.
// CHECK-LABEL: func private @sparsam_sddmm_nm_2_8_32
// CHECK-COUNT-32:  vector.fma
// CHECK-NOT:       vector.fma
// CHECK:           scf.yield
// HALVES-LABEL: func private @sparsam_sddmm_nm_2_8_16
// HALVES-COUNT-24: vector.fma
func.func @gradient(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %i: memref<4x32xi16>,
                    %dv: memref<4x32x8xf32>) {
  sparsam.sddmm %x, %dy on %i into %dv {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<64x32xf32>, memref<4x32xi16>, memref<4x32x8xf32>) -> ()
  return
}

// -----

// Four sums are too few to hide the latency of adding: kept inputs take turns at two
// sets, the last of an odd number goes to the first, and the sets are added.
// CHECK-LABEL: func private @sparsam_spmm_unstructured_64
// CHECK:         %[[REST:.+]] = arith.remui %{{.+}}, %c2
// CHECK:         %[[WHOLE:.+]] = arith.subi %[[END:.+]], %[[REST]]
// CHECK:         %[[PAIRS:.+]]:8 = scf.for {{.*}} to %[[WHOLE]] step %c2
// CHECK-COUNT-8:   vector.fma
// CHECK-NOT:       vector.fma
// CHECK:           scf.yield
// CHECK:         %[[ALL:.+]]:4 = scf.for {{.*}} = %[[WHOLE]] to %[[END]] step %c1
// CHECK-SAME:        %{{.+}} = %[[PAIRS]]#0
// CHECK-COUNT-4:   vector.fma
// CHECK-NOT:       vector.fma
// CHECK:           scf.yield
// CHECK:         arith.addf %[[ALL]]#0, %[[PAIRS]]#4
// HALVES-LABEL: func private @sparsam_spmm_unstructured_64
// HALVES:         scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// HALVES-COUNT-4:   vector.fma
// HALVES-NOT:       vector.fma
func.func @single(%x: memref<64x128xf32>, %v: memref<1024xf32>, %p: memref<33xi32>,
                  %i: memref<1024xi16>, %y: memref<64x32xf32>) {
  sparsam.spmm %x, %v, %p, %i into %y {structure = #sparsam.unstructured<density = 0.25>}
      : (memref<64x128xf32>, memref<1024xf32>, memref<33xi32>, memref<1024xi16>, memref<64x32xf32>) -> ()
  return
}
