// RUN: sparsam-opt %s --pass-pipeline='builtin.module(llvm.func(sparsam-restore-noalias))' | FileCheck %s
// RUN: sparsam-opt %S/list-distinct-pointers.mlir \
// RUN:   --pass-pipeline='builtin.module(func.func(sparsam-list-distinct-pointers),convert-func-to-llvm,llvm.func(sparsam-restore-noalias))' \
// RUN:   | FileCheck %s --check-prefix=BOTH

// CHECK-LABEL: llvm.func @f(
// CHECK-SAME:    %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr {llvm.noalias}, %{{[^:]*}}: i64, %{{[^:]*}}: !llvm.ptr {llvm.noalias})
// CHECK-NOT:     sparsam.distinct
// CHECK:         llvm.return
llvm.func @f(%a: !llvm.ptr, %b: !llvm.ptr, %c: i64, %d: !llvm.ptr)
    attributes {sparsam.distinct = array<i64: 1, 3>} {
  llvm.return
}

// Over the conversion the marks are where they were.
// BOTH:         llvm.func @f(%{{[^:]*}}: f32, %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr {llvm.noalias}, %{{[^:]*}}: i64,
// BOTH-SAME:      %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64,
// BOTH-SAME:      %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: i64,
// BOTH-SAME:      %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr {llvm.noalias}, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64)
// BOTH-NOT:       sparsam.distinct
// BOTH:           llvm.return
