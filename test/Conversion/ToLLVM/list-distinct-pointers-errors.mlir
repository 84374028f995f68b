// RUN: sparsam-opt %s --sparsam-list-distinct-pointers -split-input-file -verify-diagnostics | FileCheck %s
// RUN: not sparsam-opt %s -split-input-file --pass-pipeline='builtin.module(func.func(sparsam-list-distinct-pointers),convert-func-to-llvm,llvm.func(sparsam-restore-noalias))' \
// RUN:   2> /dev/null | FileCheck %s --check-prefix=LLVM

// A memref of unknown rank is a rank and a pointer, whatever it points to; complex
// numbers, vectors and indices are one value each.

// CHECK:       func.func private @odd(
// CHECK-SAME:    attributes {sparsam.distinct = array<i64: 6>}
// LLVM:        llvm.func @odd(%{{[^:]*}}: i64, %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.struct<(f32, f32)>, %{{[^:]*}}: vector<4xf32>, %{{[^:]*}}: i64, %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr {llvm.noalias}
func.func private @odd(%u: memref<*xf32> {llvm.noalias}, %c: complex<f32>, %v: vector<4xf32>, %i: index,
                       %a: memref<?xf32, strided<[?], offset: ?>> {llvm.noalias}) {
  return
}

// The mark of a plain pointer is the conversion's to keep.

// CHECK:       func.func private @pointer(%{{[^:]*}}: !llvm.ptr {llvm.noalias}) {
// LLVM:        llvm.func @pointer(%{{[^:]*}}: !llvm.ptr {llvm.noalias})
func.func private @pointer(%p: !llvm.ptr {llvm.noalias}) {
  return
}

// Nothing is said of a function without a body, or without a mark.

// CHECK:       func.func private @declared(memref<4xf32> {llvm.noalias})
// CHECK-NOT:   sparsam.distinct
// CHECK:       func.func @unmarked(
// CHECK-NOT:   sparsam.distinct
func.func private @declared(memref<4xf32> {llvm.noalias})
func.func @unmarked(%a: memref<4xf32>) {
  return
}

// A function with a C interface gets a wrapper with the same attributes and other
// arguments.

// CHECK:       func.func @interface(%{{[^:]*}}: memref<4xf32> {llvm.noalias})
// CHECK-SAME:    attributes {llvm.emit_c_interface} {
// LLVM:        llvm.func @_mlir_ciface_interface(%{{[^:]*}}: !llvm.ptr {llvm.noalias}) attributes {llvm.emit_c_interface}
func.func @interface(%a: memref<4xf32> {llvm.noalias}) attributes {llvm.emit_c_interface} {
  return
}

// -----

// expected-error @+1 {{has argument 1 of type 'tensor<4xf32>'; expected memrefs, as sparsam-to-cpu leaves them}}
func.func @tensor(%a: memref<4xf32> {llvm.noalias}, %b: tensor<4xf32>) {
  return
}
