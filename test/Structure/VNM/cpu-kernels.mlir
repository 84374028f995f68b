// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=znver4 vector-bits=512" -canonicalize -cse | FileCheck %s
// Every kernel has to reach LLVM through upstream passes alone.
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="vector-bits=256" \
// RUN:   -convert-scf-to-openmp -expand-strided-metadata -lower-affine -finalize-memref-to-llvm \
// RUN:   -convert-scf-to-cf -convert-vector-to-llvm -convert-to-llvm -reconcile-unrealized-casts \
// RUN:   | FileCheck %s --check-prefix=LLVM
// LLVM-NOT: unrealized_conversion_cast

// An entry's input is found through its index, 0 to 3, among the columns of its V outputs.
// CHECK-LABEL: func private @sparsam_spmm_vnm_8_2_8_64
// CHECK-DAG:     %[[COLUMNS:.+]] = memref.collapse_shape %{{.+}} : memref<4x64xi16> into memref<256xi16>
// CHECK-DAG:     %[[INDICES:.+]] = memref.collapse_shape %{{.+}} : memref<32x32xi16> into memref<1024xi16>
// CHECK:           scf.for %[[Q:[a-z0-9]+]] = {{.*}} -> (vector<16xf32>,
// CHECK:             %[[INDEX:.+]] = memref.load %[[INDICES]][%[[Q]]]
// CHECK:             %[[MEMBER:.+]] = arith.index_castui %[[INDEX]]
// CHECK:             %[[COLUMN:.+]] = arith.addi %{{.+}}, %[[MEMBER]]
// CHECK:             memref.load %[[COLUMNS]][%[[COLUMN]]]
// CHECK-COUNT-4:     vector.fma
// CHECK-NOT:         vector.fma
// CHECK:             scf.yield
func.func @forward(%x: memref<64x128xf32>, %v: memref<32x32xf32>, %c: memref<4x64xi16>,
                   %i: memref<32x32xi16>, %y: memref<64x32xf32>) {
  sparsam.spmm %x, %v, %c, %i into %y {structure = #sparsam.vnm<8, 2:8>}
      : (memref<64x128xf32>, memref<32x32xf32>, memref<4x64xi16>, memref<32x32xi16>, memref<64x32xf32>) -> ()
  return
}
