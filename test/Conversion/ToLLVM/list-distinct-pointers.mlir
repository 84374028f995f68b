// RUN: sparsam-opt %s --sparsam-list-distinct-pointers | FileCheck %s

// Two pointers, an offset and twice the rank for each memref before; scalars are one.
// CHECK:       func.func private @f(
// CHECK-SAME:    attributes {sparsam.distinct = array<i64: 2, 12>}
func.func private @f(%s: f32, %a: memref<4x4xf32> {llvm.noalias}, %b: memref<f32>, %c: memref<4xf32> {llvm.noalias}) {
  return
}
