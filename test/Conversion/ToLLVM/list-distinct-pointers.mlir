// RUN: sparsam-opt %s --sparsam-list-distinct-pointers | FileCheck %s --check-prefix=LISTED
// RUN: sparsam-opt %s --pass-pipeline='builtin.module(func.func(sparsam-list-distinct-pointers),convert-func-to-llvm,llvm.func(sparsam-restore-noalias))' \
// RUN:   | FileCheck %s

// Two pointers, an offset and twice the rank for each memref before; scalars are one.
// LISTED:       func.func private @f(
// LISTED-SAME:    attributes {sparsam.distinct = array<i64: 2, 12>}
// CHECK:        llvm.func @f(%{{[^:]*}}: f32, %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr {llvm.noalias}, %{{[^:]*}}: i64,
// CHECK-SAME:     %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64,
// CHECK-SAME:     %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: i64,
// CHECK-SAME:     %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr {llvm.noalias}, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64)
// CHECK-NOT:      sparsam.distinct
// CHECK:          llvm.return
func.func private @f(%s: f32, %a: memref<4x4xf32> {llvm.noalias}, %b: memref<f32>, %c: memref<4xf32> {llvm.noalias}) {
  return
}
