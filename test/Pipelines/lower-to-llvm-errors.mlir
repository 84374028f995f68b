// RUN: sparsam-opt %s --sparsam-lower-to-llvm -split-input-file -verify-diagnostics | FileCheck %s

// expected-error @+1 {{has argument 0 of type 'tensor<4xf32>'; expected memrefs, as sparsam-to-cpu leaves them}}
func.func @tensor(%a: tensor<4xf32>) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}

// -----

// What is not known to be distinct is not said to be: neither by a list that was there
// before nor for a wrapper.
// CHECK-LABEL: llvm.func @public(
// CHECK-NOT:     llvm.noalias
// CHECK:         llvm.return
func.func @public(%a: memref<4xf32>) attributes {llvm.emit_c_interface} {
  return
}

// -----

// CHECK-LABEL: llvm.func @foreign(
// CHECK-NEXT:    llvm.load %{{.*}} : !llvm.ptr -> f32
llvm.func @foreign(%p: !llvm.ptr) -> f32 {
  %0 = llvm.load %p : !llvm.ptr -> f32
  llvm.return %0 : f32
}

// -----

// Several blocks, indices and complex numbers are no matter to LLVM.
// CHECK-LABEL: llvm.func @blocks(
// CHECK-SAME:    %[[P:[^:]*]]: i1, %[[I:[^:]*]]: i64
// CHECK:         llvm.cond_br %[[P]]
// CHECK-NOT:     unrealized_conversion_cast
// CHECK:         llvm.return %{{.*}} : i64
func.func private @blocks(%p: i1, %i: index, %m: memref<?xcomplex<f32>>) -> index {
  cf.cond_br %p, ^then, ^else
^then:
  %0 = memref.load %m[%i] : memref<?xcomplex<f32>>
  memref.store %0, %m[%i] : memref<?xcomplex<f32>>
  return %i : index
^else:
  %1 = arith.addi %i, %i : index
  return %1 : index
}

// -----

// CHECK:      module {
// CHECK-NEXT: }
module {}
