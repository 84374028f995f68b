// RUN: sparsam-opt %s --sparsam-expand-fma -split-input-file -verify-diagnostics | FileCheck %s

// expected-error @+1 {{there is no CPU 'i9'; some that there are: host}}
module attributes {sparsam.cpu = "i9"} {
  llvm.func @unknown(%a: f32) -> f32 {
    %0 = llvm.intr.fma(%a, %a, %a) : (f32, f32, f32) -> f32
    llvm.return %0 : f32
  }
}

// -----

// A declaration, and a module without any function.
// CHECK: llvm.func @declared(f32) -> f32
module attributes {sparsam.cpu = "generic"} {
  llvm.func @declared(f32) -> f32
}

// -----

// CHECK: module attributes {sparsam.cpu = "generic"} {
// CHECK-NEXT: }
module attributes {sparsam.cpu = "generic"} {}
