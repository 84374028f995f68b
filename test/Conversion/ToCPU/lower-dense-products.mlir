// RUN: sparsam-opt %s --sparsam-lower-dense-products --canonicalize --cse -split-input-file | FileCheck %s

// The arguments after the three matrices: M, N, K; leading dimensions; transposes; two
// batch sizes; batch strides of A, B and C; whether to accumulate.
// CHECK:       func.func private @sparsam_gemm_f32(memref<f32, strided<[], offset: ?>>
// CHECK-LABEL: func.func @plain(
// CHECK-DAG:     %[[FALSE:.*]] = arith.constant 0 : i64
// CHECK-DAG:     %[[TRUE:.*]] = arith.constant 1 : i64
// CHECK-DAG:     %[[M:.*]] = arith.constant 8 : i64
// CHECK-DAG:     %[[N:.*]] = arith.constant 4 : i64
// CHECK-DAG:     %[[K:.*]] = arith.constant 16 : i64
// CHECK:         call @sparsam_gemm_f32(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %[[M]], %[[N]], %[[K]], %[[K]], %[[N]], %[[N]], %[[FALSE]], %[[FALSE]], %[[TRUE]], %[[TRUE]],
// CHECK-SAME:      %[[TRUE]]) :
// CHECK-NOT:     linalg
func.func @plain(%a: memref<8x16xf32>, %b: memref<16x4xf32>, %c: memref<8x4xf32>) {
  linalg.matmul ins(%a, %b : memref<8x16xf32>, memref<16x4xf32>) outs(%c : memref<8x4xf32>)
  return
}

// -----

// Transposes are flags, and sparsam.overwrite drops the old contents.
// CHECK-LABEL: func.func @transposed_f64(
// CHECK-DAG:     %[[FALSE:.*]] = arith.constant 0 : i64
// CHECK-DAG:     %[[TRUE:.*]] = arith.constant 1 : i64
// CHECK-DAG:     %[[M:.*]] = arith.constant 8 : i64
// CHECK-DAG:     %[[N:.*]] = arith.constant 4 : i64
// CHECK-DAG:     %[[K:.*]] = arith.constant 16 : i64
// CHECK:         call @sparsam_gemm_f64(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %[[M]], %[[N]], %[[K]], %[[M]], %[[K]], %[[N]], %[[TRUE]], %[[TRUE]],
// CHECK-SAME:      %[[FALSE]]) :
func.func @transposed_f64(%a: memref<16x8xf64>, %b: memref<4x16xf64>, %c: memref<8x4xf64>) {
  linalg.generic {sparsam.overwrite,
      indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (n, k)>,
                       affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<16x8xf64>, memref<4x16xf64>) outs(%c : memref<8x4xf64>) {
  ^bb0(%x: f64, %y: f64, %z: f64):
    %0 = arith.mulf %x, %y : f64
    %1 = arith.addf %z, %0 : f64
    linalg.yield %1 : f64
  }
  return
}

// -----

// C^T is contiguous: the operands change sides.
// CHECK-LABEL: func.func @transposed_result(
// CHECK-SAME:    %[[A:[^:]*]]: memref<8x16xf32>, %[[B:[^:]*]]: memref<16x4xf32>
// CHECK-DAG:     %[[PA:.*]] = memref.reinterpret_cast %[[A]]
// CHECK-DAG:     %[[PB:.*]] = memref.reinterpret_cast %[[B]]
// CHECK-DAG:     %[[CA:.*]] = memref.cast %[[PA]]
// CHECK-DAG:     %[[CB:.*]] = memref.cast %[[PB]]
// CHECK-DAG:     %[[EIGHT:.*]] = arith.constant 8 : i64
// CHECK-DAG:     %[[FOUR:.*]] = arith.constant 4 : i64
// CHECK-DAG:     %[[K:.*]] = arith.constant 16 : i64
// CHECK:         call @sparsam_gemm_f32(%[[CB]], %[[CA]], %{{[^,]*}}, %[[FOUR]], %[[EIGHT]], %[[K]],
func.func @transposed_result(%a: memref<8x16xf32>, %b: memref<16x4xf32>, %c: memref<4x8xf32>) {
  linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                       affine_map<(m, n, k) -> (n, m)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<8x16xf32>, memref<16x4xf32>) outs(%c : memref<4x8xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// Attention scores straight from a packed projection: batch and head are the batch, and
// the slice's offset goes with the pointer.
// CHECK-LABEL: func.func @heads(
// CHECK-DAG:     %[[BATCH:.*]] = arith.constant 2 : i64
// CHECK-DAG:     %[[HEADS:.*]] = arith.constant 3 : i64
// CHECK-DAG:     %[[TOKENS:.*]] = arith.constant 5 : i64
// CHECK-DAG:     %[[WIDTH:.*]] = arith.constant 4 : i64
// CHECK-DAG:     %[[ROW:.*]] = arith.constant 24 : i64
// CHECK-DAG:     %[[ENTRY:.*]] = arith.constant 120 : i64
// CHECK:         call @sparsam_gemm_f32(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %[[TOKENS]], %[[TOKENS]], %[[WIDTH]], %[[ROW]], %[[ROW]], %[[TOKENS]], %{{[^,]*}}, %{{[^,]*}}, %[[BATCH]], %[[HEADS]], %[[ENTRY]], %[[WIDTH]], %[[ENTRY]], %[[WIDTH]],
func.func @heads(%qkv: memref<2x5x2x3x4xf32>, %c: memref<2x3x5x5xf32>) {
  %q = memref.subview %qkv[0, 0, 0, 0, 0] [2, 5, 1, 3, 4] [1, 1, 1, 1, 1]
      : memref<2x5x2x3x4xf32> to memref<2x5x3x4xf32, strided<[120, 24, 4, 1]>>
  %k = memref.subview %qkv[0, 0, 1, 0, 0] [2, 5, 1, 3, 4] [1, 1, 1, 1, 1]
      : memref<2x5x2x3x4xf32> to memref<2x5x3x4xf32, strided<[120, 24, 4, 1], offset: 12>>
  linalg.generic {
      indexing_maps = [affine_map<(b, h, i, j, d) -> (b, i, h, d)>,
                       affine_map<(b, h, i, j, d) -> (b, j, h, d)>,
                       affine_map<(b, h, i, j, d) -> (b, h, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<2x5x3x4xf32, strided<[120, 24, 4, 1]>>,
                   memref<2x5x3x4xf32, strided<[120, 24, 4, 1], offset: 12>>)
      outs(%c : memref<2x3x5x5xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// Dimensions that memory runs through as one are one: rows of batch and time.
// CHECK-LABEL: func.func @merged(
// CHECK-DAG:     %[[M:.*]] = arith.constant 10 : i64
// CHECK-DAG:     %[[N:.*]] = arith.constant 4 : i64
// CHECK-DAG:     %[[K:.*]] = arith.constant 16 : i64
// CHECK:         call @sparsam_gemm_f32(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %[[M]], %[[N]], %[[K]],
func.func @merged(%a: memref<2x5x16xf32>, %b: memref<16x4xf32>, %c: memref<2x5x4xf32>) {
  linalg.generic {
      indexing_maps = [affine_map<(b, t, n, k) -> (b, t, k)>, affine_map<(b, t, n, k) -> (k, n)>,
                       affine_map<(b, t, n, k) -> (b, t, n)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<2x5x16xf32>, memref<16x4xf32>) outs(%c : memref<2x5x4xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// K in two parts that do not merge: operands are copied into an order that does.
// CHECK-LABEL: func.func @packed(
// CHECK:         %[[A:.*]] = memref.alloc() : memref<3x2x5xf32>
// CHECK:         linalg.generic {{.*}} outs(%[[A]] : memref<3x2x5xf32>)
// CHECK:         %[[B:.*]] = memref.alloc() : memref<2x5x4xf32>
// CHECK:         linalg.generic {{.*}} outs(%[[B]] : memref<2x5x4xf32>)
// CHECK:         %[[C:.*]] = memref.alloc() : memref<3x4xf32>
// CHECK:         call @sparsam_gemm_f32
// CHECK:         linalg.generic {{.*}} ins(%[[C]] : memref<3x4xf32>)
func.func @packed(%a: memref<2x3x5xf32>, %b: memref<5x2x4xf32>, %c: memref<3x4xf32>) {
  linalg.generic {sparsam.overwrite,
      indexing_maps = [affine_map<(m, n, k, l) -> (k, m, l)>, affine_map<(m, n, k, l) -> (l, k, n)>,
                       affine_map<(m, n, k, l) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%a, %b : memref<2x3x5xf32>, memref<5x2x4xf32>) outs(%c : memref<3x4xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// A matrix times a vector.
// CHECK-LABEL: func.func @vector(
// CHECK:         call @sparsam_gemm_f32
func.func @vector(%a: memref<8x16xf32>, %x: memref<16xf32>, %y: memref<8xf32>) {
  linalg.matvec ins(%a, %x : memref<8x16xf32>, memref<16xf32>) outs(%y : memref<8xf32>)
  return
}

// -----

// Half precision is computed in f32 and rounded once: operands and result are copied,
// and what the result held comes along only where it counts.
// CHECK-LABEL: func.func @half(
// CHECK-SAME:    %[[A:[^:]*]]: memref<8x16xbf16>, %[[B:[^:]*]]: memref<16x4xbf16>, %[[C:[^:]*]]: memref<8x4xbf16>)
// CHECK:         %[[A32:.*]] = memref.alloc() : memref<8x16xf32>
// CHECK:         linalg.generic {{.*}} ins(%[[A]] : {{.*}} outs(%[[A32]] :
// CHECK:           arith.extf %{{.*}} : bf16 to f32
// CHECK:         %[[B32:.*]] = memref.alloc() : memref<16x4xf32>
// CHECK:         linalg.generic {{.*}} ins(%[[B]] : {{.*}} outs(%[[B32]] :
// CHECK:         %[[C32:.*]] = memref.alloc() : memref<8x4xf32>
// CHECK-NOT:     linalg.generic
// CHECK:         call @sparsam_gemm_f32
// CHECK:         linalg.generic {{.*}} ins(%[[C32]] : {{.*}} outs(%[[C]] :
// CHECK:           arith.truncf %{{.*}} : f32 to bf16
// CHECK:         %[[OLD:.*]] = memref.alloc() : memref<8x4xf32>
// CHECK:         linalg.generic {{.*}} ins(%[[C]] : {{.*}} outs(%[[OLD]] :
// CHECK:           arith.extf
// CHECK:         call @sparsam_gemm_f32
// CHECK:         linalg.generic {{.*}} ins(%[[OLD]] : {{.*}} outs(%[[C]] :
func.func @half(%a: memref<8x16xbf16>, %b: memref<16x4xbf16>, %c: memref<8x4xbf16>) {
  linalg.matmul {sparsam.overwrite}
      ins(%a, %b : memref<8x16xbf16>, memref<16x4xbf16>) outs(%c : memref<8x4xbf16>)
  linalg.matmul ins(%a, %b : memref<8x16xbf16>, memref<16x4xbf16>) outs(%c : memref<8x4xbf16>)
  return
}

// -----

// Batched and transposed f16: the copies lie in the order of the call.
// CHECK-LABEL: func.func @batched_f16(
// CHECK:         memref.alloc() : memref<3x8x16xf32>
// CHECK:         memref.alloc() : memref<3x16x4xf32>
// CHECK:         memref.alloc() : memref<3x8x4xf32>
// CHECK:         call @sparsam_gemm_f32
// CHECK:           arith.truncf %{{.*}} : f32 to f16
func.func @batched_f16(%a: memref<3x16x8xf16>, %b: memref<4x3x16xf16>, %c: memref<8x3x4xf16>) {
  linalg.generic {sparsam.overwrite,
      indexing_maps = [affine_map<(b, m, n, k) -> (b, k, m)>, affine_map<(b, m, n, k) -> (n, b, k)>,
                       affine_map<(b, m, n, k) -> (m, b, n)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<3x16x8xf16>, memref<4x3x16xf16>) outs(%c : memref<8x3x4xf16>) {
  ^bb0(%x: f16, %y: f16, %z: f16):
    %0 = arith.mulf %x, %y : f16
    %1 = arith.addf %z, %0 : f16
    linalg.yield %1 : f16
  }
  return
}

// -----

// Narrow operands of a wide product are widened; the rest stays where it is.
// CHECK-LABEL: func.func @mixed(
// CHECK-SAME:    %[[A:[^:]*]]: memref<8x16xbf16>, %[[B:[^:]*]]: memref<16x4xf32>, %[[C:[^:]*]]: memref<8x4xf32>)
// CHECK:         %[[A32:.*]] = memref.alloc() : memref<8x16xf32>
// CHECK-NOT:     memref.alloc()
// CHECK:         linalg.generic {{.*}} ins(%[[A]] : {{.*}} outs(%[[A32]] :
// CHECK-NOT:     memref.alloc()
// CHECK:         memref.reinterpret_cast %[[A32]]
// CHECK:         memref.reinterpret_cast %[[B]]
// CHECK:         memref.reinterpret_cast %[[C]]
// CHECK:         call @sparsam_gemm_f32
// CHECK-NOT:     linalg
func.func @mixed(%a: memref<8x16xbf16>, %b: memref<16x4xf32>, %c: memref<8x4xf32>) {
  linalg.generic {sparsam.overwrite,
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                       affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<8x16xbf16>, memref<16x4xf32>) outs(%c : memref<8x4xf32>) {
  ^bb0(%x: bf16, %y: f32, %z: f32):
    %w = arith.extf %x : bf16 to f32
    %0 = arith.mulf %w, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}
