// REQUIRES: x86
// RUN: sparsam-opt %s --sparsam-expand-fma -split-input-file -verify-diagnostics | FileCheck %s

// One remark, at the first operation that LLVM takes apart; the others are computed where
// their product is exact. The flags are those of the operation.
// CHECK-LABEL: llvm.func @old(
// CHECK-SAME:    %[[A:.+]]: vector<4xf32>, %[[B:.+]]: vector<4xf32>, %[[C:.+]]: vector<4xf32>, %[[H:.+]]: f16, %{{.+}}: f64)
// CHECK:         llvm.intr.fmuladd
// CHECK-DAG:     %[[WA:.+]] = llvm.fpext %[[A]] : vector<4xf32> to vector<4xf64>
// CHECK-DAG:     %[[WB:.+]] = llvm.fpext %[[B]] : vector<4xf32> to vector<4xf64>
// CHECK-DAG:     %[[WC:.+]] = llvm.fpext %[[C]] : vector<4xf32> to vector<4xf64>
// CHECK-DAG:     %[[AB:.+]] = llvm.fmul %[[W1:.+]], %[[W2:.+]] {fastmathFlags = #llvm.fastmath<nsz, contract>} : vector<4xf64>
// CHECK:         %[[SUM:.+]] = llvm.fadd %[[AB]], %[[WC]] {fastmathFlags = #llvm.fastmath<nsz, contract>} : vector<4xf64>
// CHECK-NEXT:    %[[ROUNDED:.+]] = llvm.fptrunc %[[SUM]] : vector<4xf64> to vector<4xf32>
// CHECK:         llvm.fmul %{{.+}}, %{{.+}} : f32
// CHECK:         llvm.fptrunc %{{.+}} : f32 to f16
// CHECK:         llvm.intr.fma(%{{.+}}) : (f64, f64, f64) -> f64
// CHECK:         llvm.intr.fmuladd
// CHECK:         llvm.return %[[ROUNDED]]
module attributes {sparsam.cpu = "x86-64-v2"} {
  llvm.func @old(%a: vector<4xf32>, %b: vector<4xf32>, %c: vector<4xf32>, %h: f16, %d: f64) -> vector<4xf32> {
    // expected-remark @+1 {{CPU 'x86-64-v2' has no fused multiply-add: products are rounded before they are added, here and in other kernels}}
    %0 = llvm.intr.fmuladd(%a, %b, %c) : (vector<4xf32>, vector<4xf32>, vector<4xf32>) -> vector<4xf32>
    %1 = llvm.intr.fma(%a, %b, %c) {fastmathFlags = #llvm.fastmath<nsz, contract>} : (vector<4xf32>, vector<4xf32>, vector<4xf32>) -> vector<4xf32>
    %2 = llvm.intr.fma(%h, %h, %h) : (f16, f16, f16) -> f16
    %3 = llvm.intr.fma(%d, %d, %d) : (f64, f64, f64) -> f64
    %4 = llvm.intr.fmuladd(%a, %b, %c) : (vector<4xf32>, vector<4xf32>, vector<4xf32>) -> vector<4xf32>
    llvm.return %1 : vector<4xf32>
  }
}

// -----

// CHECK-LABEL: llvm.func @haswell(
// CHECK-NEXT:    llvm.intr.fma
module attributes {sparsam.cpu = "haswell"} {
  llvm.func @haswell(%a: f32) -> f32 {
    %0 = llvm.intr.fma(%a, %a, %a) : (f32, f32, f32) -> f32
    llvm.return %0 : f32
  }
}

// -----

// Its instruction is another, of four operands.
// CHECK-LABEL: llvm.func @bulldozer(
// CHECK-NEXT:    llvm.intr.fma
module attributes {sparsam.cpu = "bdver1"} {
  llvm.func @bulldozer(%a: f32) -> f32 {
    %0 = llvm.intr.fma(%a, %a, %a) : (f32, f32, f32) -> f32
    llvm.return %0 : f32
  }
}

// -----

// Nothing to say where there is nothing to do.
// CHECK-LABEL: llvm.func @nothing(
// CHECK-NEXT:    llvm.fmul
module attributes {sparsam.cpu = "x86-64"} {
  llvm.func @nothing(%a: f32) -> f32 {
    %0 = llvm.fmul %a, %a : f32
    llvm.return %0 : f32
  }
}
