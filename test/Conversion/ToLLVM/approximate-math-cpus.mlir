// On CPUs without FMA products and sums, where the function keeps its digits. A multiply-add
// that was there is no part of a polynomial.
// REQUIRES: x86
// RUN: sparsam-opt %s --sparsam-approximate-math -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @old(
// CHECK-NEXT:    math.fma
// CHECK-NOT:     math.fma
// CHECK:         arith.mulf
// CHECK:         return
// CHECK-LABEL: func.func @old_logarithm(
// CHECK-COUNT-4: math.fma
// CHECK:         return
module attributes {sparsam.cpu = "x86-64"} {
  func.func @old(%x: vector<4xf32>) -> (vector<4xf32>, vector<4xf32>) {
    %0 = math.fma %x, %x, %x : vector<4xf32>
    %1 = math.exp %x : vector<4xf32>
    return %0, %1 : vector<4xf32>, vector<4xf32>
  }
  func.func @old_logarithm(%x: f32) -> f32 {
    %0 = math.log %x : f32
    return %0 : f32
  }
  // CHECK-LABEL: func.func @unread(
  // CHECK-NEXT:    return
  func.func @unread(%x: f32) {
    %0 = math.log %x : f32
    %1 = math.exp %0 : f32
    return
  }
}

// -----

// CHECK-LABEL: func.func @haswell(
// CHECK-COUNT-4: math.fma
// CHECK:         return
module attributes {sparsam.cpu = "haswell"} {
  func.func @haswell(%x: f32) -> f32 {
    %0 = math.exp %x : f32
    return %0 : f32
  }
}
