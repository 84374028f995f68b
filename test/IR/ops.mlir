// RUN: sparsam-opt %s | sparsam-opt | FileCheck %s

// CHECK-LABEL: func.func @pattern
func.func @pattern(%x: tensor<5x16xf32>, %dy: tensor<5x8xf32>, %values: tensor<1x4x8xf32>,
                   %indices: tensor<1x4xi16>) -> (tensor<5x8xf32>, tensor<5x16xf32>, tensor<1x4x8xf32>) {
  // CHECK: sparsam.densify %{{.*}}, %{{.*}} {structure = #sparsam.nm<2:8, vector = 8>} : (tensor<1x4x8xf32>, tensor<1x4xi16>) -> tensor<16x8xf32>
  %w = sparsam.densify %values, %indices {structure = #sparsam.nm<2:8, vector = 8>}
      : (tensor<1x4x8xf32>, tensor<1x4xi16>) -> tensor<16x8xf32>
  // CHECK: sparsam.select %{{.*}} {structure = #sparsam.nm<2:8, vector = 8>} : (tensor<16x8xf32>) -> tensor<1x4xi16>
  %chosen = sparsam.select %w {structure = #sparsam.nm<2:8, vector = 8>}
      : (tensor<16x8xf32>) -> tensor<1x4xi16>
  // CHECK: sparsam.restrict %{{.*}} on %{{.*}} {structure = #sparsam.nm<2:8, vector = 8>} : (tensor<16x8xf32>, tensor<1x4xi16>) -> tensor<1x4x8xf32>
  %kept = sparsam.restrict %w on %chosen {structure = #sparsam.nm<2:8, vector = 8>}
      : (tensor<16x8xf32>, tensor<1x4xi16>) -> tensor<1x4x8xf32>
  // CHECK: sparsam.spmm %{{.*}}, %{{.*}}, %{{.*}} into %{{.*}} {structure = #sparsam.nm<2:8, vector = 8>}
  %y = sparsam.spmm %x, %kept, %chosen into %dy {structure = #sparsam.nm<2:8, vector = 8>}
      : (tensor<5x16xf32>, tensor<1x4x8xf32>, tensor<1x4xi16>, tensor<5x8xf32>) -> tensor<5x8xf32>
  // CHECK: sparsam.spmm {{.*}} {structure = #sparsam.nm<2:8, vector = 8>, transposed}
  %dx = sparsam.spmm %dy, %kept, %chosen into %x {structure = #sparsam.nm<2:8, vector = 8>, transposed}
      : (tensor<5x8xf32>, tensor<1x4x8xf32>, tensor<1x4xi16>, tensor<5x16xf32>) -> tensor<5x16xf32>
  // CHECK: sparsam.sddmm %{{.*}}, %{{.*}} on %{{.*}} into %{{.*}} {structure = #sparsam.nm<2:8, vector = 8>}
  %dv = sparsam.sddmm %x, %dy on %chosen into %values {structure = #sparsam.nm<2:8, vector = 8>}
      : (tensor<5x16xf32>, tensor<5x8xf32>, tensor<1x4xi16>, tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  return %y, %dx, %dv : tensor<5x8xf32>, tensor<5x16xf32>, tensor<1x4x8xf32>
}

// CHECK-LABEL: func.func @on_memrefs
func.func @on_memrefs(%x: memref<5x16xf32>, %values: memref<8x8x1xf32>, %indices: memref<8x8xi16>,
                      %y: memref<5x8xf32>) {
  // CHECK: sparsam.spmm {{.*}} : (memref<5x16xf32>, memref<8x8x1xf32>, memref<8x8xi16>, memref<5x8xf32>) -> ()
  sparsam.spmm %x, %values, %indices into %y {structure = #sparsam.nm<2:4>}
      : (memref<5x16xf32>, memref<8x8x1xf32>, memref<8x8xi16>, memref<5x8xf32>) -> ()
  return
}

// CHECK-LABEL: func.func @factors
func.func @factors(%w: tensor<16x6xf64>) -> tensor<16x6xf64> {
  // CHECK: sparsam.factorize %{{.*}} {structure = #sparsam.low_rank<3>} : (tensor<16x6xf64>) -> (tensor<16x3xf64>, tensor<3x6xf64>)
  %u, %v = sparsam.factorize %w {structure = #sparsam.low_rank<3>}
      : (tensor<16x6xf64>) -> (tensor<16x3xf64>, tensor<3x6xf64>)
  // CHECK: sparsam.einsum "kr,rn->kn"(%{{.*}}, %{{.*}}) : (tensor<16x3xf64>, tensor<3x6xf64>) -> tensor<16x6xf64>
  %product = sparsam.einsum "kr,rn->kn"(%u, %v)
      : (tensor<16x3xf64>, tensor<3x6xf64>) -> tensor<16x6xf64>
  // CHECK: sparsam.gradient %{{.*}} of "blocks/0/fc" : tensor<16x6xf64>
  // CHECK: sparsam.gradient %{{.*}} of "blocks/0/out" marked : tensor<16x6xf64>
  %g = sparsam.gradient %product of "blocks/0/fc" : tensor<16x6xf64>
  %marked = sparsam.gradient %product of "blocks/0/out" marked : tensor<16x6xf64>
  return %g : tensor<16x6xf64>
}

// The view: dimensions 0 and 2 are the inputs, so the matrix is (4*2) x 6.
// CHECK-LABEL: func.func @views
// CHECK-SAME: tensor<4x6x2xf32, #sparsam.low_rank<5, in = [0, 2]>>
// CHECK-SAME: tensor<6x8xf32, #sparsam.nm<1:4, vector = 3, in = [1]>>
func.func @views(%u: tensor<8x5xf32>, %v: tensor<5x6xf32>,
                 %w: tensor<4x6x2xf32, #sparsam.low_rank<5, in = [0, 2]>>,
                 %t: tensor<6x8xf32, #sparsam.nm<1:4, vector = 3, in = [1]>>) -> tensor<4x6x2xf32> {
  // CHECK: sparsam.densify {{.*}} {structure = #sparsam.low_rank<5, in = [0, 2]>} : (tensor<8x5xf32>, tensor<5x6xf32>) -> tensor<4x6x2xf32>
  %dense = sparsam.densify %u, %v {structure = #sparsam.low_rank<5, in = [0, 2]>}
      : (tensor<8x5xf32>, tensor<5x6xf32>) -> tensor<4x6x2xf32>
  return %dense : tensor<4x6x2xf32>
}
