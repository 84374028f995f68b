// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=znver4 vector-bits=512" -canonicalize -cse -split-input-file \
// RUN:   | FileCheck %s
// Every kernel has to reach LLVM through upstream passes alone.
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="vector-bits=256" -split-input-file \
// RUN:   -convert-scf-to-openmp -expand-strided-metadata -lower-affine -finalize-memref-to-llvm \
// RUN:   -convert-scf-to-cf -convert-vector-to-llvm -convert-to-llvm -reconcile-unrealized-casts \
// RUN:   | FileCheck %s --check-prefix=LLVM
// LLVM-NOT: unrealized_conversion_cast

// One output x 4 vectors of 16 tokens in registers, from the output's first entry to the
// next output's.
// CHECK-LABEL: func private @sparsam_spmm_unstructured_64
// CHECK-SAME:    %[[V:[a-z0-9]+]]: memref<1024xf32>, %[[POSITIONS:[a-z0-9]+]]: memref<33xi32>
// CHECK:         scf.parallel
// CHECK:           %[[STORED:.+]] = memref.load %[[POSITIONS]]
// CHECK:           %[[BEGIN:.+]] = arith.index_castui %[[STORED]] : i32 to index
// CHECK:           %[[NEXT:.+]] = memref.load %[[POSITIONS]]
// CHECK:           %[[END:.+]] = arith.index_castui %[[NEXT]] : i32 to index
// CHECK:           scf.for %[[Q:[a-z0-9]+]] = %[[BEGIN]] to %[[END]]
// CHECK:             memref.load %{{.+}}[%[[Q]]] : memref<1024xi16>
// CHECK:             memref.load %[[V]][%[[Q]]]
// CHECK-COUNT-4:     vector.fma
// CHECK-NOT:         vector.fma
// CHECK:             scf.yield
func.func @forward(%x: memref<64x128xf32>, %v: memref<1024xf32>, %p: memref<33xi32>,
                   %i: memref<1024xi16>, %y: memref<64x32xf32>) {
  sparsam.spmm %x, %v, %p, %i into %y {structure = #sparsam.unstructured<density = 0.25>}
      : (memref<64x128xf32>, memref<1024xf32>, memref<33xi32>, memref<1024xi16>, memref<64x32xf32>) -> ()
  return
}

// -----

// The output's dy is loaded once, for tiles of 4 entries. Their number is not known: what
// the last tile lacks is masked.
// CHECK-LABEL: func private @sparsam_sddmm_unstructured_64
// CHECK-COUNT-4:   vector.load {{.*}}vector<16xf32>
// CHECK:           scf.for
// CHECK-COUNT-4:     arith.mulf
// CHECK-COUNT-12:    vector.fma
// CHECK:             vector.store {{.*}} : memref<1024xf32>, vector<4xf32>
// CHECK:           scf.if
// CHECK-COUNT-4:     arith.mulf
// CHECK-COUNT-12:    vector.fma
// CHECK-NOT:         vector.fma
// CHECK:             vector.create_mask
// CHECK:             vector.maskedstore {{.*}} : memref<1024xf32>, vector<4xi1>, vector<4xf32>
func.func @gradient(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %p: memref<33xi32>,
                    %i: memref<1024xi16>, %dv: memref<1024xf32>) {
  sparsam.sddmm %x, %dy on %p, %i into %dv {structure = #sparsam.unstructured<density = 0.25>}
      : (memref<64x128xf32>, memref<64x32xf32>, memref<33xi32>, memref<1024xi16>, memref<1024xf32>) -> ()
  return
}

// -----

// Ranges of inputs fit the stack, and have whole vectors of them.
// CHECK-LABEL: func private @sparsam_spmm_transposed_unstructured_64
// CHECK:         memref.alloca() {{.*}} : memref<256x64xf32>
// CHECK:         memref.load %{{.+}} : memref<{{.+}}x32xi64>
func.func @transposed(%dy: memref<64x32xf32>, %v: memref<102400xf32>, %p: memref<33xi32>,
                      %i: memref<102400xi16>, %dx: memref<64x12800xf32>) {
  sparsam.spmm %dy, %v, %p, %i into %dx {structure = #sparsam.unstructured<density = 0.25>, transposed}
      : (memref<64x32xf32>, memref<102400xf32>, memref<33xi32>, memref<102400xi16>, memref<64x12800xf32>) -> ()
  return
}
