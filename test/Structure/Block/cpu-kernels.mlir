// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=znver4 vector-bits=512 l1-bytes=32768 l2-bytes=1048576" -canonicalize -cse -split-input-file \
// RUN:   | FileCheck %s
// Every kernel has to reach LLVM through upstream passes alone.
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="vector-bits=256 l1-bytes=32768 l2-bytes=1048576" -split-input-file \
// RUN:   -convert-scf-to-openmp -expand-strided-metadata -lower-affine -finalize-memref-to-llvm \
// RUN:   -convert-scf-to-cf -convert-vector-to-llvm -convert-to-llvm -reconcile-unrealized-casts \
// RUN:   | FileCheck %s --check-prefix=LLVM
// LLVM-NOT: unrealized_conversion_cast

// The inputs of a stored block are its number * R and the following, 8 of which are
// computed from one; 8 outputs x 1 vector of 16 tokens in registers.
// CHECK-LABEL: func private @sparsam_spmm_block_16_16
// CHECK:         %[[I:.+]] = memref.collapse_shape %{{.+}} : memref<4x2xi16> into memref<8xi16>
// CHECK:         scf.parallel (%[[ITEM:.+]]) =
// CHECK:           %[[P:.+]] = arith.divui %[[ITEM]], %c2
// CHECK:           scf.for %[[Q:[a-z0-9]+]] = {{.*}} -> (vector<16xf32>, vector<16xf32>,
// CHECK:             %[[PLACE:.+]] = arith.divui %[[Q]], %c16
// CHECK:             %[[STORED:.+]] = memref.load %[[I]][%[[PLACE]]]
// CHECK:             %[[BLOCK:.+]] = arith.index_castui %[[STORED]] : i16 to index
// CHECK:             %[[FIRST:.+]] = arith.muli %[[BLOCK]], %c16
// CHECK:             %[[R:.+]] = arith.remui %[[Q]], %c16
// CHECK:             %[[K:.+]] = arith.addi %[[FIRST]], %[[R]]
// CHECK:             vector.load %{{.+}}[%[[P]], %[[K]], %c0]
// CHECK-COUNT-8:     vector.fma
// CHECK:             %[[NEXT:.+]] = arith.addi %[[K]], %c1
// CHECK:             vector.load %{{.+}}[%[[P]], %[[NEXT]], %c0]
// CHECK-NOT:         arith.divui
// CHECK-COUNT-56:    vector.fma
// CHECK-NOT:         vector.fma
// CHECK:             scf.yield
func.func @forward(%x: memref<64x128xf32>, %v: memref<4x2x16x8xf32>, %i: memref<4x2xi16>,
                   %y: memref<64x32xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.block<16x8, density = 0.25>}
      : (memref<64x128xf32>, memref<4x2x16x8xf32>, memref<4x2xi16>, memref<64x32xf32>) -> ()
  return
}

// -----

// Inputs that fit no cache are cut into ranges of whole blocks, and where each block row's
// blocks of a range begin is searched before the product.
// CHECK-LABEL: func @ranges
// CHECK:         %[[BOUNDS:.+]] = memref.alloc() {{.*}} : memref<[[RANGES:.+]]x4xi64>
// CHECK:         call @sparsam_bounds_block_16_{{.+}}(%{{.+}}, %[[BOUNDS]])
// CHECK:         call @sparsam_spmm_transposed_block_16_16(%{{.+}}, %[[BOUNDS]], %{{.+}})
// CHECK-LABEL: func private @sparsam_bounds_block_16
// CHECK:         scf.parallel
// CHECK:           scf.while
// CHECK:             memref.load
// CHECK:             arith.cmpi ult
// CHECK:           memref.store %{{.+}} : memref<[[RANGES]]x4xi64>
// CHECK-LABEL: func private @sparsam_spmm_transposed_block_16_16
// CHECK:         %[[BEGIN:.+]] = memref.load %{{.+}} : memref<[[RANGES]]x4xi64>
// CHECK:         arith.index_castui %[[BEGIN]]
// CHECK:         %[[END:.+]] = memref.load %{{.+}} : memref<[[RANGES]]x4xi64>
// CHECK:         arith.index_castui %[[END]]
func.func @ranges(%dy: memref<64x32xf32>, %v: memref<4x160x16x8xf32>, %i: memref<4x160xi16>,
                  %dx: memref<64x10240xf32>) {
  sparsam.spmm %dy, %v, %i into %dx {structure = #sparsam.block<16x8, density = 0.25>, transposed}
      : (memref<64x32xf32>, memref<4x160x16x8xf32>, memref<4x160xi16>, memref<64x10240xf32>) -> ()
  return
}

// -----

// All blocks are where they can be computed to be: nothing is searched.
// CHECK-LABEL: func @dense
// CHECK-NOT:     sparsam_bounds
// CHECK:         call @sparsam_spmm_transposed_block_16_16
func.func @dense(%dy: memref<64x32xf32>, %v: memref<4x640x16x8xf32>, %i: memref<4x640xi16>,
                 %dx: memref<64x10240xf32>) {
  sparsam.spmm %dy, %v, %i into %dx {structure = #sparsam.block<16x8, density = 1.0>, transposed}
      : (memref<64x32xf32>, memref<4x640x16x8xf32>, memref<4x640xi16>, memref<64x10240xf32>) -> ()
  return
}

// -----

// The gradient goes to the values as one row: tiles of 3 inputs, then single ones.
// CHECK-LABEL: func private @sparsam_sddmm_block_16_16
// CHECK:         memref.collapse_shape %{{.+}} : memref<4x2x16x8xf32> into memref<1024xf32>
// CHECK:         scf.parallel
// CHECK-COUNT-24:  vector.fma
// CHECK:           vector.store {{.*}} : memref<1024xf32>, vector<16xf32>
// CHECK:           vector.store {{.*}} : memref<1024xf32>, vector<8xf32>
// CHECK-COUNT-8:   vector.fma
// CHECK-NOT:       vector.fma
// CHECK:           vector.store {{.*}} : memref<1024xf32>, vector<8xf32>
func.func @gradient(%x: memref<64x128xf32>, %dy: memref<64x32xf32>, %i: memref<4x2xi16>,
                    %dv: memref<4x2x16x8xf32>) {
  sparsam.sddmm %x, %dy on %i into %dv {structure = #sparsam.block<16x8, density = 0.25>}
      : (memref<64x128xf32>, memref<64x32xf32>, memref<4x2xi16>, memref<4x2x16x8xf32>) -> ()
  return
}
