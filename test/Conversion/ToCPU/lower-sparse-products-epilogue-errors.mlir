// RUN: sparsam-opt %s -sparsam-lower-sparse-products -split-input-file -verify-diagnostics | FileCheck %s

// What is not fused stays behind its product. Where only its form is in the way, a remark
// says so.

#id = affine_map<(t, f) -> (t, f)>
#transposed = affine_map<(t, f) -> (f, t)>

// CHECK-LABEL: func @order(
//       CHECK:   call @sparsam_spmm_nm_2_8_{{[0-9]+}}(
//       CHECK:   linalg.generic
func.func @order(%x: memref<32x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                 %z: memref<32x32xf32>) {
  %y = memref.alloc() : memref<32x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<32x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<32x32xf32>) -> ()
  // expected-remark @below {{is not computed by the kernel of the product that it reads: operand 0 reads the product in another order}}
  linalg.generic {indexing_maps = [#transposed, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : memref<32x32xf32>) outs(%z : memref<32x32xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

#id = affine_map<(t, f) -> (t, f)>
#transposed = affine_map<(t, f) -> (f, t)>

// CHECK-LABEL: func @operand_order(
//       CHECK:   linalg.generic
//       CHECK:   linalg.generic
func.func @operand_order(%x: memref<32x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                         %other: memref<32x32xf32>, %z: memref<32x32xf32>,
                         %w: memref<32x32xf32>) {
  %y = memref.alloc() : memref<32x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<32x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<32x32xf32>) -> ()
  // expected-remark @below {{operand 1 goes neither with tokens and features in this order nor with one of them alone}}
  linalg.generic {indexing_maps = [#id, #transposed, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %other : memref<32x32xf32>, memref<32x32xf32>) outs(%z : memref<32x32xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  // expected-remark @below {{operand 1 goes neither with tokens and features in this order nor with one of them alone}}
  linalg.generic {indexing_maps = [#id, #transposed], iterator_types = ["parallel", "parallel"]}
      ins(%y : memref<32x32xf32>) outs(%w : memref<32x32xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

#id = affine_map<(b, t, f) -> (b, t, f)>
#position = affine_map<(b, t, f) -> (t, f)>

// CHECK-LABEL: func @position(
//       CHECK:   linalg.generic
func.func @position(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                    %position: memref<16x32xf32>, %z: memref<4x16x32xf32>) {
  %y = memref.alloc() : memref<64x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  %y3 = memref.expand_shape %y [[0, 1], [2]] output_shape [4, 16, 32]
      : memref<64x32xf32> into memref<4x16x32xf32>
  // expected-remark @below {{its loops over tokens, or over features, do not run through memory as one}}
  linalg.generic {indexing_maps = [#id, #position, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%y3, %position : memref<4x16x32xf32>, memref<16x32xf32>) outs(%z : memref<4x16x32xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(t, f) -> (t, f)>

// CHECK-LABEL: func @shape(
//       CHECK:   linalg.generic
func.func @shape(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                 %z: memref<128x16xf32>) {
  %y = memref.alloc() : memref<64x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  %flat = memref.collapse_shape %y [[0, 1]] : memref<64x32xf32> into memref<2048xf32>
  %other = memref.expand_shape %flat [[0, 1]] output_shape [128, 16]
      : memref<2048xf32> into memref<128x16xf32>
  // expected-remark @below {{its loops do not go over the product's tokens and features in this order}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%other : memref<128x16xf32>) outs(%z : memref<128x16xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

#id = affine_map<(t, f) -> (t, f)>

// CHECK-LABEL: func @payload(
// CHECK-COUNT-3: linalg.generic
func.func @payload(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                   %table: memref<64xf32>, %z: memref<64x32xf32>, %c: memref<64x32xf32>,
                   %k: memref<64x32xi32>, %w: memref<64x32xf32>) {
  %y = memref.alloc() : memref<64x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  // expected-remark @below {{'linalg.index' does not work on vectors}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : memref<64x32xf32>) outs(%z : memref<64x32xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = linalg.index 0 : index
    %1 = memref.load %table[%0] : memref<64xf32>
    %2 = arith.addf %a, %1 : f32
    linalg.yield %2 : f32
  }
  // A division by zero in a lane that is not stored would end the program.
  // expected-remark @below {{'arith.divsi' does not work on vectors}}
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %k : memref<64x32xf32>, memref<64x32xi32>) outs(%c : memref<64x32xf32>) {
  ^bb0(%a: f32, %b: i32, %out: f32):
    %0 = arith.fptosi %a : f32 to i32
    %1 = arith.divsi %0, %b : i32
    %2 = arith.sitofp %1 : i32 to f32
    linalg.yield %2 : f32
  }
  // expected-remark @below {{'math.fpowi' does not work on vectors}}
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %k : memref<64x32xf32>, memref<64x32xi32>) outs(%w : memref<64x32xf32>) {
  ^bb0(%a: f32, %b: i32, %out: f32):
    %0 = math.fpowi %a, %b : f32, i32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(t, f) -> (t, f)>

// CHECK-LABEL: func @memory(
//       CHECK:   linalg.generic
//       CHECK:   linalg.generic
func.func @memory(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                  %mask: memref<64x32xi1>, %z: memref<64x32xf32>, %wide: memref<64x64xf32>) {
  %y = memref.alloc() : memref<64x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  // expected-remark @below {{operand 1 has elements that are not whole bytes in vectors}}
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %mask : memref<64x32xf32>, memref<64x32xi1>) outs(%z : memref<64x32xf32>) {
  ^bb0(%a: f32, %m: i1, %out: f32):
    %0 = arith.select %m, %a, %out : f32
    linalg.yield %0 : f32
  }
  %even = memref.subview %wide[0, 0] [64, 32] [1, 2]
      : memref<64x64xf32> to memref<64x32xf32, strided<[64, 2]>>
  // expected-remark @below {{operand 1 does not have consecutive features side by side}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : memref<64x32xf32>) outs(%even : memref<64x32xf32, strided<[64, 2]>>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

#id = affine_map<(t, f) -> (t, f)>
#feature = affine_map<(t, f) -> (f)>

// Panels of tokens run in parallel: none may write what another still reads.
// CHECK-LABEL: func @aliases(
//       CHECK:   linalg.generic
//       CHECK:   linalg.generic
//       CHECK:   linalg.generic
func.func @aliases(%x: memref<32x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                   %both: memref<2x40x32xf32>, %z: memref<32x32xf32>) {
  %y = memref.subview %both[0, 0, 0] [1, 32, 32] [1, 1, 1]
      : memref<2x40x32xf32> to memref<32x32xf32, strided<[32, 1]>>
  %other = memref.subview %both[0, 1, 0] [1, 32, 32] [1, 1, 1]
      : memref<2x40x32xf32> to memref<32x32xf32, strided<[32, 1], offset: 32>>
  %flat = memref.collapse_shape %v [[0, 1, 2]] : memref<4x32x8xf32> into memref<1024xf32>
  %weights = memref.expand_shape %flat [[0, 1]] output_shape [32, 32]
      : memref<1024xf32> into memref<32x32xf32>
  %row = memref.subview %z[0, 0] [1, 32] [1, 1] : memref<32x32xf32> to memref<32xf32, strided<[1]>>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<32x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<32x32xf32, strided<[32, 1]>>) -> ()
  // expected-remark @below {{operand 1 shares the buffer of the product}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : memref<32x32xf32, strided<[32, 1]>>)
      outs(%other : memref<32x32xf32, strided<[32, 1], offset: 32>>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  }
  // What is written above is read here.
  // CHECK: linalg.generic
  linalg.generic {indexing_maps = [#id, #feature, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %row : memref<32x32xf32, strided<[32, 1]>>, memref<32xf32, strided<[1]>>)
      outs(%z : memref<32x32xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  %y2 = memref.alloc() : memref<32x32xf32>
  sparsam.spmm %x, %v, %i into %y2 {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<32x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<32x32xf32>) -> ()
  // expected-remark @below {{operand 1 shares the buffer of what the product multiplies with}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y2 : memref<32x32xf32>) outs(%weights : memref<32x32xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  }
  %y3 = memref.alloc() : memref<32x32xf32>
  sparsam.spmm %x, %v, %i into %y3 {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<32x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<32x32xf32>) -> ()
  // expected-remark @below {{operand 2 shares the buffer of operand 1}}
  linalg.generic {indexing_maps = [#id, #feature, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y3, %row : memref<32x32xf32>, memref<32xf32, strided<[1]>>) outs(%z : memref<32x32xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(t, f) -> (t, f)>
#token = affine_map<(t, f) -> (t)>

// What needs the whole product first is no epilogue, and nothing is said about it.
// CHECK-LABEL: func @between(
//       CHECK:   call @sparsam_spmm_nm_2_8_{{[0-9]+}}(
// CHECK-COUNT-2: linalg.generic
//       CHECK:   call @sparsam_spmm_nm_2_8_{{[0-9]+}}(
//       CHECK:   linalg.exp
//       CHECK:   linalg.generic
//       CHECK:   call @sparsam_spmm_nm_2_8_{{[0-9]+}}(
//       CHECK:   linalg.exp
//       CHECK:   linalg.generic
//       CHECK:   call @sparsam_spmm_nm_2_8_{{[0-9]+}}(
//       CHECK:   scf.for
//       CHECK:     linalg.generic
func.func @between(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                   %sum: memref<64xf32>, %z: memref<64x32xf32>, %r: memref<64x32xf32>,
                   %w: memref<64x32xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %y = memref.alloc() : memref<64x32xf32>
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #token], iterator_types = ["parallel", "reduction"]}
      ins(%y : memref<64x32xf32>) outs(%sum : memref<64xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %out : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #token, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %sum : memref<64x32xf32>, memref<64xf32>) outs(%z : memref<64x32xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.subf %a, %b : f32
    linalg.yield %0 : f32
  }
  // An operand is written between the two.
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.exp ins(%r : memref<64x32xf32>) outs(%r : memref<64x32xf32>)
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %r : memref<64x32xf32>, memref<64x32xf32>) outs(%z : memref<64x32xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.subf %a, %b : f32
    linalg.yield %0 : f32
  }
  // What is written has been read between the two.
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  linalg.exp ins(%z : memref<64x32xf32>) outs(%w : memref<64x32xf32>)
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : memref<64x32xf32>) outs(%z : memref<64x32xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  }
  // In a loop the op runs more than once.
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  scf.for %k = %c0 to %n step %c1 {
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%y : memref<64x32xf32>) outs(%z : memref<64x32xf32>) {
    ^bb0(%a: f32, %out: f32):
      %0 = arith.addf %a, %out : f32
      linalg.yield %0 : f32
    }
  }
  return
}
