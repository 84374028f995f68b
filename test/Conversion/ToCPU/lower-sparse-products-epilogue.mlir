// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=znver4 vector-bits=512 l1-bytes=32768 l2-bytes=1048576" -canonicalize -cse -split-input-file \
// RUN:   | FileCheck %s
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="vector-bits=256 l1-bytes=32768 l2-bytes=1048576" -split-input-file \
// RUN:   | FileCheck %s --check-prefix=ROWS
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="fuse-epilogues=false" -split-input-file | FileCheck %s --check-prefix=OFF
// OFF-NOT: epilogue

#id = affine_map<(t, f) -> (t, f)>
#feature = affine_map<(t, f) -> (f)>

// What only the bias reads is never in memory. One element of it serves all tokens of a
// square, and is read once.
// CHECK-LABEL: func @bias(
//  CHECK-SAME:    %{{.+}}: memref<64x128xf32>, %[[V:.+]]: memref<4x32x8xf32>, %[[I:.+]]: memref<4x32xi16>, %[[B:.+]]: memref<32xf32>, %[[Z:.+]]: memref<64x32xf32>)
//       CHECK:   %[[P:.+]] = memref.alloc() {{.*}} : memref<4x{{[0-9]+}}xf32>
//   CHECK-NOT:   memref.alloc
//       CHECK:   call @[[K:sparsam_spmm_nm_2_8_16_epilogue]](%[[P]], %[[V]], %[[I]], %[[B]], %[[Z]])
//   CHECK-NOT:   linalg.generic
//       CHECK: func private @[[K]](%{{.+}}, %{{.+}}, %{{.+}}, %[[B:.+]]: memref<32xf32>, %[[Z:.+]]: memref<64x32xf32>)
//       CHECK:   scf.parallel
//       CHECK:     vector.fma
//       CHECK:     vector.shuffle
//       CHECK:     %[[BIAS:.+]] = vector.load %[[B]]
//   CHECK-NOT:     vector.load
//       CHECK:     %[[S:.+]] = arith.addf %{{.+}}, %[[BIAS]] : vector<16xf32>
//       CHECK:     vector.store %[[S]], %[[Z]]
// CHECK-COUNT-15:  arith.addf %{{.+}}, %[[BIAS]] : vector<16xf32>
//   CHECK-NOT:     arith.addf
// OFF-LABEL: func @bias(
//       OFF:   linalg.generic
// OFF-NOT: epilogue
func.func @bias(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                %bias: memref<32xf32>, %z: memref<64x32xf32>) {
  %y = memref.alloc() : memref<64x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #feature, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %bias : memref<64x32xf32>, memref<32xf32>) outs(%z : memref<64x32xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(t, f) -> (t, f)>
#token = affine_map<(t, f) -> (t)>
#all = affine_map<(t, f) -> ()>

// What something else reads is stored, too: here, after the activation has been computed.
// An operand with an element for each token and a scalar are read where they are.
// CHECK-LABEL: func @kept(
//  CHECK-SAME:    %{{.+}}, %{{.+}}, %{{.+}}, %[[T:[a-z0-9]+]]: memref<64xf32>, %[[S:[a-z0-9]+]]: memref<f32>, %[[F:[a-z0-9]+]]: f32, %[[Z:[a-z0-9]+]]: memref<64x32xf32>, %[[W:[a-z0-9]+]]: memref<64x32xf32>)
//       CHECK:   %[[Y:.+]] = memref.alloc() : memref<64x32xf32>
//       CHECK:   call @[[K:.+_epilogue]](%{{.+}}, %{{.+}}, %{{.+}}, %[[T]], %[[S]], %[[F]], %[[Y]], %[[Z]])
//       CHECK:   linalg.copy ins(%[[Y]]
//       CHECK: func private @[[K]](%{{.+}}, %{{.+}}, %{{.+}}, %[[T:[a-z0-9]+]]: memref<64xf32>, %[[S:[a-z0-9]+]]: memref<f32>, %[[F:[a-z0-9]+]]: f32, %[[Y:[a-z0-9]+]]: memref<64x32xf32>, %[[Z:[a-z0-9]+]]: memref<64x32xf32>)
//       CHECK:   %[[SCALAR:.+]] = memref.load %[[S]][]
//       CHECK:   vector.broadcast %[[SCALAR]] : f32 to vector<16xf32>
//       CHECK:   vector.broadcast %[[F]] : f32 to vector<16xf32>
//       CHECK:   vector.store %[[RESULT:.+]], %[[Y]]
//       CHECK:   %[[TOKEN:.+]] = memref.load %[[T]]
//       CHECK:   vector.broadcast %[[TOKEN]] : f32 to vector<16xf32>
//       CHECK:   arith.mulf %[[RESULT]]
//       CHECK:   vector.store %{{.+}}, %[[Z]]
func.func @kept(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                %token: memref<64xf32>, %scalar: memref<f32>, %captured: f32,
                %z: memref<64x32xf32>, %w: memref<64x32xf32>) {
  %y = memref.alloc() : memref<64x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #token, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %token, %scalar : memref<64x32xf32>, memref<64xf32>, memref<f32>) outs(%z : memref<64x32xf32>) {
  ^bb0(%a: f32, %t: f32, %s: f32, %out: f32):
    %0 = arith.mulf %a, %t : f32
    %1 = arith.mulf %0, %s : f32
    %2 = arith.addf %1, %captured : f32
    linalg.yield %2 : f32
  }
  linalg.copy ins(%y : memref<64x32xf32>) outs(%w : memref<64x32xf32>)
  return
}

// -----

#id = affine_map<(t, f) -> (t, f)>

// The caller reads a result that is an argument of the function. Written over by the
// element-wise op, it is stored once.
// CHECK-LABEL: func @arguments(
//  CHECK-SAME:    %[[Y:[a-z0-9]+]]: memref<64x32xf32>, %[[Z:[a-z0-9]+]]: memref<64x32xf32>)
//       CHECK:   call @[[K:.+_epilogue]](%{{.+}}, %{{.+}}, %{{.+}}, %[[Y]], %[[Z]])
//       CHECK:   call @[[OVER:.+_epilogue_0]](%{{.+}}, %{{.+}}, %{{.+}}, %[[Y]])
//       CHECK: func private @[[OVER]](%{{.+}}, %{{.+}}, %{{.+}}, %[[Y:[a-z0-9]+]]: memref<64x32xf32>)
//       CHECK:   %[[Z:.+]] = arith.negf
//   CHECK-NOT:   vector.store
//       CHECK:   vector.store %[[Z]], %[[Y]]
func.func @arguments(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                     %y: memref<64x32xf32>, %z: memref<64x32xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : memref<64x32xf32>) outs(%z : memref<64x32xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  }
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%y : memref<64x32xf32>) {
  ^bb0(%a: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(b, t, f) -> (b, t, f)>
#feature = affine_map<(b, t, f) -> (f)>
#token = affine_map<(b, t, f) -> (b, t)>

// Batch and tokens run as one. An operand that is made between the two is made in front.
// CHECK-LABEL: func @batch(
//  CHECK-SAME:    %{{.+}}, %{{.+}}, %{{.+}}, %[[R:[a-z0-9]+]]: memref<4x16x32xf32>, %[[B:[a-z0-9]+]]: memref<32xf32>, %[[T:[a-z0-9]+]]: memref<4x16xf32>, %[[W:[a-z0-9]+]]: memref<64x128xf32>)
//   CHECK-DAG:   %[[Z:.+]] = memref.alloc() : memref<4x16x32xf32>
//   CHECK-DAG:   %[[R2:.+]] = memref.collapse_shape %[[R]] {{.*}} into memref<64x32xf32>
//   CHECK-DAG:   %[[T1:.+]] = memref.collapse_shape %[[T]] {{.*}} into memref<64xf32>
//   CHECK-DAG:   %[[Z2:.+]] = memref.collapse_shape %[[Z]] {{.*}} into memref<64x32xf32>
//       CHECK:   call @{{.+}}_epilogue(%{{.+}}, %{{.+}}, %{{.+}}, %[[R2]], %[[B]], %[[T1]], %[[Z2]])
//       CHECK:   linalg.exp
//   CHECK-NOT:   linalg.generic
//       CHECK:   return %[[Z]]
func.func @batch(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                 %residual: memref<4x16x32xf32>, %bias: memref<32xf32>, %token: memref<4x16xf32>,
                 %other: memref<64x128xf32>) -> memref<4x16x32xf32> {
  %y = memref.alloc() : memref<64x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.exp ins(%other : memref<64x128xf32>) outs(%other : memref<64x128xf32>)
  %y3 = memref.expand_shape %y [[0, 1], [2]] output_shape [4, 16, 32]
      : memref<64x32xf32> into memref<4x16x32xf32>
  %z = memref.alloc() : memref<4x16x32xf32>
  linalg.generic {indexing_maps = [#id, #id, #feature, #token, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%residual, %y3, %bias, %token : memref<4x16x32xf32>, memref<4x16x32xf32>, memref<32xf32>, memref<4x16xf32>)
      outs(%z : memref<4x16x32xf32>) {
  ^bb0(%r: f32, %a: f32, %b: f32, %t: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    %1 = arith.mulf %0, %t : f32
    %2 = arith.addf %r, %1 : f32
    linalg.yield %2 : f32
  }
  return %z : memref<4x16x32xf32>
}

// -----

#id = affine_map<(t, f) -> (t, f)>

// Kernels are shared by products with equal epilogues, whatever buffers they write, slices
// of one layout included; a constant tells two apart. Results of several types are stored
// as they are.
// CHECK-LABEL: func @shared(
//       CHECK:   call @[[K:sparsam_spmm_nm_2_8_16_epilogue]](
//       CHECK:   call @[[K]](
//       CHECK:   call @[[OTHER:sparsam_spmm_nm_2_8_16_epilogue_0]](
//       CHECK:   call @[[TWO:sparsam_spmm_nm_2_8_16_epilogue_1]](
//       CHECK: func private @[[K]](
//       CHECK:   arith.constant dense<2.000000e+00> : vector<16xf32>
//       CHECK: func private @[[OTHER]](
//       CHECK:   arith.constant dense<3.000000e+00> : vector<16xf32>
//       CHECK: func private @[[TWO]](
//       CHECK:   %[[WIDE:.+]] = arith.extf %{{.+}} : vector<16xf32> to vector<16xf64>
//       CHECK:   %[[MASK:.+]] = arith.cmpf ogt
//       CHECK:   %[[ONE:.+]] = arith.select %[[MASK]]
//       CHECK:   vector.store %[[WIDE]], %{{.+}} : memref<64x32xf64>, vector<16xf64>
//       CHECK:   vector.store %[[ONE]], %{{.+}} : memref<64x32xi8>, vector<16xi8>
func.func @shared(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                  %z: memref<2x64x32xf32>, %w: memref<64x32xf64>, %m: memref<64x32xi8>) {
  %two = arith.constant 2.0 : f32
  %three = arith.constant 3.0 : f32
  %first = memref.subview %z[0, 0, 0] [1, 64, 32] [1, 1, 1]
      : memref<2x64x32xf32> to memref<64x32xf32, strided<[32, 1]>>
  %second = memref.subview %z[1, 0, 0] [1, 64, 32] [1, 1, 1]
      : memref<2x64x32xf32> to memref<64x32xf32, strided<[32, 1], offset: 2048>>
  %y1 = memref.alloc() : memref<64x32xf32>
  sparsam.spmm %x, %v, %i into %y1 {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y1 : memref<64x32xf32>) outs(%first : memref<64x32xf32, strided<[32, 1]>>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.mulf %a, %two : f32
    linalg.yield %0 : f32
  }
  %y2 = memref.alloc() : memref<64x32xf32>
  sparsam.spmm %x, %v, %i into %y2 {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y2 : memref<64x32xf32>) outs(%second : memref<64x32xf32, strided<[32, 1], offset: 2048>>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.mulf %a, %two : f32
    linalg.yield %0 : f32
  }
  %y3 = memref.alloc() : memref<64x32xf32>
  sparsam.spmm %x, %v, %i into %y3 {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y3 : memref<64x32xf32>) outs(%second : memref<64x32xf32, strided<[32, 1], offset: 2048>>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.mulf %a, %three : f32
    linalg.yield %0 : f32
  }
  %y4 = memref.alloc() : memref<64x32xf32>
  sparsam.spmm %x, %v, %i into %y4 {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y4 : memref<64x32xf32>) outs(%w, %m : memref<64x32xf64>, memref<64x32xi8>) {
  ^bb0(%a: f32, %out: f64, %mask: i8):
    %0 = arith.extf %a : f32 to f64
    %1 = arith.cmpf ogt, %a, %two : f32
    %2 = arith.constant 1 : i8
    %3 = arith.select %1, %2, %mask : i8
    linalg.yield %0, %3 : f64, i8
  }
  return
}

// -----

#id = affine_map<(t, f) -> (t, f)>

// Much work runs row by row from a strip of squares on the stack, whose memory is fetched
// meanwhile. 7 tokens are one square of 16, in which only those rows are gone through; 24
// columns end in half a vector.
// CHECK-LABEL: func @odd(
//       CHECK: func private @sparsam_spmm_transposed_nm_2_8_16_epilogue(
//       CHECK:   %[[C7:.+]] = arith.constant 7 : index
//       CHECK:   memref.alloca() {{.*}} : memref<32x16xf32>
//       CHECK:   %[[TILE:.+]] = memref.alloca() {alignment = 64 : i64} : memref<16x128xf32>
//       CHECK:   vector.store %{{.+}}, %[[TILE]]
//       CHECK:   memref.prefetch %{{.+}}, write, locality<3>, data : memref<7x24xf32>
//       CHECK:   scf.for %[[R:.+]] = %{{.+}} to %[[C7]] step
//       CHECK:     vector.load %[[TILE]][%[[R]], %{{.+}}]
//       CHECK:     math.erf %{{.+}} : vector<16xf32>
//       CHECK:     vector.store
//       CHECK:     %[[HALF:.+]] = vector.constant_mask [8] : vector<16xi1>
//       CHECK:     math.erf
//       CHECK:     vector.maskedstore %{{.+}}, %[[HALF]]
func.func @odd(%dy: memref<7x32xf32>, %v: memref<4x6x8xf32>, %i: memref<4x6xi16>,
               %z: memref<7x24xf32>) {
  %y = memref.alloc() : memref<7x24xf32>
  sparsam.spmm %dy, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>, transposed}
      : (memref<7x32xf32>, memref<4x6x8xf32>, memref<4x6xi16>, memref<7x24xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : memref<7x24xf32>) outs(%z : memref<7x24xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.erf %a : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(f) -> (f)>

// A single token has no loop.
// CHECK-LABEL: func @token(
//  CHECK-SAME:    %{{.+}}, %{{.+}}, %{{.+}}, %[[B:[a-z0-9]+]]: memref<32xf32>, %[[Z:[a-z0-9]+]]: memref<32xf32>)
//   CHECK-DAG:   %[[B2:.+]] = memref.expand_shape %[[B]] {{.*}} into memref<1x32xf32>
//   CHECK-DAG:   %[[Z2:.+]] = memref.expand_shape %[[Z]] {{.*}} into memref<1x32xf32>
//       CHECK:   call @{{.+}}_epilogue(%{{.+}}, %{{.+}}, %{{.+}}, %[[B2]], %[[Z2]])
//   CHECK-NOT:   linalg.generic
func.func @token(%x: memref<1x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                 %bias: memref<32xf32>, %z: memref<32xf32>) {
  %y = memref.alloc() : memref<1x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<1x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<1x32xf32>) -> ()
  %row = memref.collapse_shape %y [[0, 1]] : memref<1x32xf32> into memref<32xf32>
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%row, %bias : memref<32xf32>, memref<32xf32>) outs(%z : memref<32xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(t, f) -> (t, f)>
#feature = affine_map<(t, f) -> (f)>

// Outputs in lanes are rows in registers: those of a bias go to memory at once, those of
// more work, or with an operand as large, through a tile.
// ROWS-LABEL: func @rows(
//       ROWS:   call @[[BIAS:sparsam_spmm_rows_block.+_epilogue]](
//       ROWS:   call @[[RESIDUAL:sparsam_spmm_rows_block.+_epilogue_0]](
//   ROWS-NOT:   linalg.generic
//       ROWS: func private @[[BIAS]](
//   ROWS-NOT:   memref.alloca
//       ROWS:   arith.addf %{{.+}} : vector<8xf32>
//       ROWS: func private @[[RESIDUAL]](
//       ROWS:   memref.alloca() {{.*}} : memref<6x16xf32>
//       ROWS:   arith.addf %{{.+}} : vector<8xf32>
func.func @rows(%x: memref<96x80xf32>, %v: memref<2x2x16x16xf32>, %i: memref<2x2xi16>,
                %bias: memref<32xf32>, %z: memref<96x32xf32>, %r: memref<96x32xf32>) {
  %y = memref.alloc() : memref<96x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.block<16x16, density = 0.4>}
      : (memref<96x80xf32>, memref<2x2x16x16xf32>, memref<2x2xi16>, memref<96x32xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #feature, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %bias : memref<96x32xf32>, memref<32xf32>) outs(%z : memref<96x32xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  %y2 = memref.alloc() : memref<96x32xf32>
  sparsam.spmm %x, %v, %i into %y2 {structure = #sparsam.block<16x16, density = 0.4>}
      : (memref<96x80xf32>, memref<2x2x16x16xf32>, memref<2x2xi16>, memref<96x32xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y2 : memref<96x32xf32>) outs(%r : memref<96x32xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %out : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(t, f) -> (t, f)>

// What is packed may be written over by the product's own kernel, and what that reads as
// it lies may not. Panels of it are packed again then.
// CHECK-LABEL: func @over_input(
//       CHECK:   call @sparsam_pack_16(%[[X:.+]], %
//       CHECK:   call @sparsam_spmm_block{{.*}}_epilogue(%{{.+}}, %{{.+}}, %{{.+}}, %[[X]], %[[X]])
//       CHECK:   call @sparsam_pack_16(%[[X]], %
//       CHECK:   call @sparsam_spmm_transposed
//  ROWS-LABEL: func @over_input(
//        ROWS:   call @sparsam_spmm_rows_block
//        ROWS:   linalg.generic
func.func @over_input(%x: memref<96x32xf32>, %v: memref<2x1x16x16xf32>, %i: memref<2x1xi16>,
                      %dx: memref<96x32xf32>) {
  %y = memref.alloc() : memref<96x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.block<16x16, density = 0.5>}
      : (memref<96x32xf32>, memref<2x1x16x16xf32>, memref<2x1xi16>, memref<96x32xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : memref<96x32xf32>) outs(%x : memref<96x32xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %out : f32
    linalg.yield %0 : f32
  }
  sparsam.spmm %x, %v, %i into %dx {structure = #sparsam.block<16x16, density = 0.5>, transposed}
      : (memref<96x32xf32>, memref<2x1x16x16xf32>, memref<2x1xi16>, memref<96x32xf32>) -> ()
  return
}
